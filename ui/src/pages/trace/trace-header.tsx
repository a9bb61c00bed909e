// SPDX-License-Identifier: Apache-2.0
import { Link, useLocation } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { CopyButton } from '#components/copy-button.tsx';
import controls from '#components/controls.module.css';
import { BackIcon, ErrorIcon } from '#components/icons.tsx';
import { formatDuration } from '#model/duration.ts';
import { serviceHue } from '#model/service-colour.ts';
import { formatLocalTime, formatUtcTime } from '#model/time-format.ts';
import type { Trace } from '#model/trace.ts';
import styles from './trace-header.module.css';

/** What the trace is, in two lines: its root, and the figures. */
export function TraceHeader({ trace, onNextError }: { trace: Trace; onNextError: () => void }) {
  const searchHref = useLocation({ select: ({ state }) => state.searchHref });
  const root = trace.tree.roots[0]!;
  const service = trace.processes[root]!.serviceName;
  const { errorCount, startUs } = trace;
  return (
    <header className={styles['header']} style={{ '--hue': serviceHue(service) }}>
      <div className={styles['title']}>
        {searchHref !== undefined && (
          <Link
            to={searchHref}
            className={controls['icon']}
            aria-label="Back to results"
            title="Back to results"
          >
            <BackIcon />
          </Link>
        )}
        <h1 title={`${service} ${trace.spans[root]!.operationName}`}>
          <i />
          <b>{service}</b>
          <span>{trace.spans[root]!.operationName}</span>
        </h1>
        <span className={styles['id']} title={trace.traceId}>
          <code>{trace.traceId}</code>
          <CopyButton text={trace.traceId} what="trace id" />
        </span>
      </div>
      <dl className={styles['facts']}>
        <Fact name="Start">
          {formatLocalTime(startUs)} <small>{formatUtcTime(startUs)}</small>
        </Fact>
        <Fact name="Duration">{formatDuration(trace.totalUs)}</Fact>
        <Fact name="Spans">{trace.tree.rows.toLocaleString('en')}</Fact>
        <Fact name="Services">{trace.services.length}</Fact>
        <Fact name="Depth">{trace.tree.levels}</Fact>
        <Fact name="Errors">
          {errorCount === 0 ? (
            0
          ) : (
            <button
              type="button"
              className={styles['errors']}
              title="Go to the next error (e)"
              aria-label={`${errorCount} errors, go to the next`}
              onClick={onNextError}
            >
              <ErrorIcon /> {errorCount.toLocaleString('en')}
            </button>
          )}
        </Fact>
      </dl>
    </header>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
