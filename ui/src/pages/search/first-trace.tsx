// SPDX-License-Identifier: Apache-2.0
import { type KeyboardEvent, useState } from 'react';
import { CopyButton } from '#components/copy-button.tsx';
import { firstTraceSnippets } from './first-trace-snippets.ts';
import styles from './first-trace.module.css';

/** For a store without spans: how to send the first trace, per language. */
export function FirstTrace() {
  const snippets = firstTraceSnippets(location.hostname);
  const [chosen, setChosen] = useState(0);
  const snippet = snippets[chosen]!;

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const next = (chosen + step + snippets.length) % snippets.length;
    setChosen(next);
    const tab = event.currentTarget.children[next];
    if (tab instanceof HTMLElement) tab.focus();
  };

  return (
    <div className={styles['page']}>
      <h1>Send your first trace</h1>
      <p>
        Spoor is running and has no spans yet. It takes OpenTelemetry (OTLP) over gRPC on port 4317
        and over HTTP on port 4318.
      </p>
      <div className={styles['tabs']} role="tablist" aria-label="Language" onKeyDown={onKeyDown}>
        {snippets.map(({ name }, index) => (
          <button
            key={name}
            id={`tab-${name}`}
            type="button"
            role="tab"
            aria-selected={index === chosen}
            aria-controls="snippet"
            tabIndex={index === chosen ? 0 : -1}
            onClick={() => setChosen(index)}
          >
            {name}
          </button>
        ))}
      </div>
      <div id="snippet" role="tabpanel" aria-labelledby={`tab-${snippet.name}`}>
        {snippet.steps.map(({ title, code }) => (
          <section key={title} className={styles['step']}>
            <h2>{title}</h2>
            <div className={styles['code']}>
              <pre tabIndex={0} aria-label={title}>
                <code>{code}</code>
              </pre>
              <CopyButton text={code} what="code" />
            </div>
          </section>
        ))}
      </div>
      <p className={styles['waiting']} role="status">
        <i /> Waiting for spans. They show here by themselves.
      </p>
    </div>
  );
}
