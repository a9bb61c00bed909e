// SPDX-License-Identifier: Apache-2.0
import { type RefObject } from 'react';
import controls from './controls.module.css';
import { CloseIcon } from './icons.tsx';
import styles from './shortcuts-dialog.module.css';

const SECTIONS: readonly {
  readonly title: string;
  readonly rows: readonly (readonly [keys: readonly string[], what: string])[];
}[] = [
  {
    title: 'Everywhere',
    rows: [
      [['?'], 'Show this list'],
      [['/'], 'Type: attributes on the search page, a trace id elsewhere'],
    ],
  },
  {
    title: 'Search results',
    rows: [
      [['j', 'k'], 'Next, previous trace'],
      [['Enter'], 'Open the trace'],
      [['n', 'p'], 'Next, previous page'],
    ],
  },
  {
    title: 'Trace',
    rows: [
      [['j', 'k', '↓', '↑'], 'Next, previous span'],
      [['→', '←'], 'Expand or go down, collapse or go up'],
      [['Enter'], 'Open the detail of the span'],
      [['Esc'], 'Close the detail'],
      [[']', '['], 'Collapse all, expand all'],
      [['e', 'E'], 'Next, previous span with an error'],
      [['Home', 'End'], 'First, last span'],
    ],
  },
];

/** The keys that work, as a dialog that the browser itself closes on Esc. */
export function ShortcutsDialog({ ref }: { ref: RefObject<HTMLDialogElement | null> }) {
  return (
    <dialog
      ref={ref}
      className={styles['dialog']}
      aria-labelledby="shortcuts-title"
      onClick={(event) => {
        // A click on the dialog itself is one on its backdrop: the content fills the rest.
        if (event.target === event.currentTarget) event.currentTarget.close();
      }}
    >
      <div className={styles['content']}>
        <div className={styles['head']}>
          <h2 id="shortcuts-title">Keyboard shortcuts</h2>
          <button
            type="button"
            className={controls['icon']}
            aria-label="Close"
            onClick={() => ref.current?.close()}
          >
            <CloseIcon />
          </button>
        </div>
        {SECTIONS.map(({ title, rows }) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {rows.map(([keys, what]) => (
                <div key={what}>
                  <dt>
                    {keys.map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </dialog>
  );
}
