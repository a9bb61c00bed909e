// SPDX-License-Identifier: Apache-2.0
import { useNavigate } from '@tanstack/react-router';
import { type RefObject, useState } from 'react';
import { parseTraceIdText } from '#model/trace-id.ts';
import controls from './controls.module.css';
import styles from './trace-lookup.module.css';

/** A box that leads to a trace by its id. */
export function TraceLookup({ ref }: { ref?: RefObject<HTMLInputElement | null> }) {
  const navigate = useNavigate();
  const [error, setError] = useState('');
  return (
    <form
      className={styles['lookup']}
      role="search"
      aria-label="Trace by id"
      onSubmit={(event) => {
        event.preventDefault();
        const input = event.currentTarget.elements.namedItem('id');
        if (!(input instanceof HTMLInputElement)) return;
        const id = parseTraceIdText(input.value);
        setError('error' in id ? id.error : '');
        if ('error' in id) return;
        input.value = '';
        input.blur();
        void navigate({ to: '/trace/$traceId', params: { traceId: id.value } });
      }}
    >
      <input
        ref={ref}
        name="id"
        className={`${controls['input']} ${styles['input']}`}
        placeholder="Go to trace id"
        aria-label="Trace id"
        aria-invalid={error !== ''}
        aria-describedby={error === '' ? undefined : 'lookup-error'}
        autoComplete="off"
        spellCheck={false}
        onChange={() => setError('')}
        onBlur={() => setError('')}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
      />
      {error !== '' && (
        <p id="lookup-error" className={styles['error']} role="alert">
          {error}
        </p>
      )}
    </form>
  );
}
