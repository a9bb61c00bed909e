// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from 'react';
import styles from './controls.module.css';
import { CheckIcon, CopyIcon } from './icons.tsx';

/** How long the button says that it has copied, in ms. */
const DONE_MS = 1500;

/** Copies a text. `what` completes "Copy …" for screen readers and the tooltip. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [outcome, setOutcome] = useState<'' | 'copied' | 'failed'>('');
  useEffect(() => {
    if (outcome === '') return undefined;
    const timer = setTimeout(() => setOutcome(''), DONE_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  const label =
    outcome === 'copied' ? 'Copied' : outcome === 'failed' ? 'Copying failed' : `Copy ${what}`;
  return (
    <button
      type="button"
      className={styles['icon']}
      aria-label={label}
      title={label}
      onClick={() => {
        void copyText(text).then((done) => setOutcome(done ? 'copied' : 'failed'));
      }}
    >
      {outcome === 'copied' ? (
        <span className={styles['done']}>
          <CheckIcon />
        </span>
      ) : (
        <CopyIcon />
      )}
      <span className={styles['hidden']} role="status">
        {outcome === '' ? '' : label}
      </span>
    </button>
  );
}

/** Copies by the clipboard API, or the old way where a page over plain HTTP has none. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const before = document.activeElement;
  const area = document.createElement('textarea');
  area.value = text;
  area.style.position = 'fixed';
  area.style.opacity = '0';
  document.body.append(area);
  area.select();
  // Deprecated, but the only way without a secure context.
  const done = document.execCommand('copy');
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return done;
}
