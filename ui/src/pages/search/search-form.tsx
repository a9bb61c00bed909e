// SPDX-License-Identifier: Apache-2.0
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useId, useRef, useState } from 'react';
import { operationsQuery } from '#api/queries.ts';
import controls from '#components/controls.module.css';
import { ErrorIcon } from '#components/icons.tsx';
import { useShortcuts } from '#components/use-shortcuts.ts';
import {
  LOOKBACKS,
  MAX_LIMIT,
  type SearchErrors,
  type SearchField,
  type SearchState,
  lookbackUs,
  validateSearch,
} from '#model/search-params.ts';
import { formatDateTimeInput, parseDateTimeInput } from '#model/time-format.ts';
import styles from './search-form.module.css';

const LIMITS = [20, 50, 100, 200, 500, 1000, MAX_LIMIT];
const FAULTS_ID = 'search-faults';
/** Fields that can be wrong, in the order of the form. */
const FIELD_NAMES: readonly (readonly [SearchField, string])[] = [
  ['attributes', 'Attributes'],
  ['minDuration', 'Min duration'],
  ['maxDuration', 'Max duration'],
  ['time', 'Time'],
];

/**
 * The form bar. It shows the state of the URL; choosing from a list searches at once, typed text
 * with Enter or the button.
 */
export function SearchForm({
  state,
  services,
  servicesFault,
  traceqlFault,
  onSearch,
}: {
  state: SearchState;
  services: readonly string[];
  /** Why there is no list of services. */
  servicesFault: string | undefined;
  /** What the server says of the TraceQL of the state. */
  traceqlFault: string | undefined;
  onSearch: (next: SearchState) => void;
}) {
  const [draft, setDraft] = useState(state);
  const [shown, setShown] = useState(state);
  const [errors, setErrors] = useState<SearchErrors>(() => validateSearch(state));
  if (shown !== state) {
    // Back, Forward or a link: the form follows the URL.
    setShown(state);
    setDraft(state);
    setErrors(validateSearch(state));
  }
  const attributes = useRef<HTMLInputElement>(null);
  useShortcuts({ '/': () => attributes.current?.select() });
  const operations = useQuery(operationsQuery(draft.service));

  const edit = (change: Partial<SearchState>) => {
    const next = { ...draft, ...change };
    setDraft(next);
    // While typing a fault may go, but none appears before it is asked for.
    const now = validateSearch(next);
    setErrors((before) =>
      Object.fromEntries(Object.entries(now).filter(([field]) => Object.hasOwn(before, field))),
    );
    return next;
  };
  const submit = (next: SearchState) => {
    const faults = validateSearch(next);
    setErrors(faults);
    if (Object.keys(faults).length === 0) onSearch(next);
  };
  const choose = (change: Partial<SearchState>) => submit(edit(change));

  // Of what is typed now, the server has said nothing yet.
  const traceql = draft.traceql === state.traceql ? traceqlFault : undefined;
  const faults = [
    ['Services', servicesFault] as const,
    ['Operations', operations.error?.message] as const,
    ...FIELD_NAMES.map(([field, name]) => [name, errors[field]] as const),
    ['TraceQL', traceql] as const,
  ].filter(([, fault]) => fault !== undefined);

  return (
    <form
      className={styles['form']}
      role="search"
      aria-label="Traces"
      onSubmit={(event) => {
        event.preventDefault();
        submit(draft);
      }}
    >
      <Field label="Service" className={styles['service']}>
        {(id) => (
          <select
            id={id}
            className={controls['select']}
            value={draft.service}
            onChange={(event) => choose({ service: event.target.value, operation: '' })}
          >
            <option value="">All services</option>
            {withCurrent(services, draft.service).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Operation" className={styles['operation']}>
        {(id) => (
          <select
            id={id}
            className={controls['select']}
            disabled={draft.service === ''}
            value={draft.service === '' ? '' : draft.operation}
            onChange={(event) => choose({ operation: event.target.value })}
          >
            <option value="">All operations</option>
            {withCurrent(operations.data ?? [], draft.operation).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Attributes" className={styles['attributes']} fault={errors.attributes}>
        {(id, describedBy) => (
          <input
            ref={attributes}
            id={id}
            className={`${controls['input']} ${styles['typed']}`}
            placeholder="error=true http.response.status_code=500"
            value={draft.attributes}
            onChange={(event) => edit({ attributes: event.target.value })}
            aria-invalid={errors.attributes !== undefined}
            aria-describedby={describedBy}
            aria-keyshortcuts="/"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
          />
        )}
      </Field>
      {(['minDuration', 'maxDuration'] as const).map((name) => (
        <Field
          key={name}
          label={name === 'minDuration' ? 'Min duration' : 'Max duration'}
          className={styles[name]}
          fault={errors[name]}
        >
          {(id, describedBy) => (
            <input
              id={id}
              className={`${controls['input']} ${styles['typed']}`}
              placeholder={name === 'minDuration' ? '100ms' : '1.2s'}
              value={draft[name]}
              onChange={(event) => edit({ [name]: event.target.value })}
              aria-invalid={errors[name] !== undefined}
              aria-describedby={describedBy}
              autoComplete="off"
              autoCapitalize="off"
              spellCheck={false}
            />
          )}
        </Field>
      ))}
      <Field label="Time" className={styles['lookback']}>
        {(id) => (
          <select
            id={id}
            className={controls['select']}
            value={draft.lookback}
            onChange={(event) => {
              const lookback = event.target.value;
              if (lookback === 'custom') edit(customRange(draft));
              else choose({ lookback, start: undefined, end: undefined });
            }}
          >
            {LOOKBACKS.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
            {draft.lookback !== 'custom' &&
              !LOOKBACKS.some(([value]) => value === draft.lookback) && (
                <option value={draft.lookback}>Last {draft.lookback}</option>
              )}
            <option value="custom">Custom range</option>
          </select>
        )}
      </Field>
      <Field label="Limit" className={styles['limit']}>
        {(id) => (
          <select
            id={id}
            className={controls['select']}
            value={draft.limit}
            onChange={(event) => choose({ limit: Number(event.target.value) })}
          >
            {LIMITS.concat(LIMITS.includes(draft.limit) ? [] : [draft.limit])
              .toSorted((a, b) => a - b)
              .map((limit) => (
                <option key={limit}>{limit}</option>
              ))}
          </select>
        )}
      </Field>
      <Field label="TraceQL" className={styles['traceql']} fault={traceql}>
        {(id, describedBy) => (
          <input
            id={id}
            className={`${controls['input']} ${styles['typed']}`}
            placeholder="{ status = error && duration > 200ms } | count() > 3"
            value={draft.traceql}
            onChange={(event) => edit({ traceql: event.target.value })}
            aria-invalid={traceql !== undefined}
            aria-describedby={describedBy}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
          />
        )}
      </Field>
      <button type="submit" className={`${controls['primary']} ${styles['submit']}`}>
        Find traces
      </button>
      {draft.lookback === 'custom' && (
        <fieldset className={styles['range']}>
          <legend className={controls['hidden']}>Custom range, local time</legend>
          {(['start', 'end'] as const).map((name) => (
            <Field
              key={name}
              label={name === 'start' ? 'Start (local time)' : 'End (local time)'}
              fault={errors.time}
            >
              {(id, describedBy) => (
                <input
                  id={id}
                  className={controls['input']}
                  type="datetime-local"
                  step={1}
                  value={draft[name] === undefined ? '' : formatDateTimeInput(draft[name])}
                  onChange={(event) => edit({ [name]: parseDateTimeInput(event.target.value) })}
                  aria-invalid={errors.time !== undefined}
                  aria-describedby={describedBy}
                />
              )}
            </Field>
          ))}
        </fieldset>
      )}
      <ul id={FAULTS_ID} className={styles['faults']} role="alert">
        {faults.map(([name, fault]) => (
          <li key={name}>
            <ErrorIcon />
            <span>
              <b>{name}:</b> {fault}
            </span>
          </li>
        ))}
      </ul>
    </form>
  );
}

function Field({
  label,
  className,
  fault,
  children,
}: {
  label: string;
  className?: string | undefined;
  fault?: string | undefined;
  children: (id: string, describedBy: string | undefined) => ReactNode;
}) {
  const id = useId();
  return (
    <div className={`${styles['field']} ${className ?? ''}`}>
      <label htmlFor={id}>{label}</label>
      {children(id, fault === undefined ? undefined : FAULTS_ID)}
    </div>
  );
}

/** The names, with the chosen one among them even when the server does not list it (any more). */
function withCurrent(names: readonly string[], current: string): readonly string[] {
  return current === '' || names.includes(current) ? names : [current, ...names];
}

/** A custom range that begins as the look-back before it. */
function customRange(draft: SearchState): Partial<SearchState> {
  const end = Math.ceil(Date.now() / 1000) * 1e6;
  const span = lookbackUs(draft.lookback) ?? 3600e6;
  return { lookback: 'custom', start: end - span, end };
}
