// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from 'react';
import { ApiError } from '#api/api-error.ts';
import controls from './controls.module.css';
import { ErrorIcon, WarningIcon } from './icons.tsx';
import styles from './notice.module.css';

/** A state of a page that has nothing to list: what is the case, why, and what to do. */
export function Notice({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={styles['notice']}>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** What the server says beside an answer, such as that spans are missing in it; nothing where it says nothing. */
export function AnswerWarnings({ warnings }: { warnings: readonly string[] }) {
  if (warnings.length === 0) return null;
  return (
    <ul className={styles['warnings']} aria-label="Warnings">
      {warnings.map((warning) => (
        <li key={warning}>
          <WarningIcon /> <span>{warning}</span>
        </li>
      ))}
    </ul>
  );
}

/** What failed and why, with a button to try again. */
export function FailureNotice({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const title = error instanceof ApiError ? error.title : 'Something went wrong on this page';
  return (
    <div className={styles['notice']} role="alert">
      <h2>
        <ErrorIcon size={16} /> {title}
      </h2>
      <p className={styles['reason']}>{error.message}</p>
      <p>
        <button type="button" className={controls['button']} onClick={onRetry}>
          Try again
        </button>
      </p>
    </div>
  );
}
