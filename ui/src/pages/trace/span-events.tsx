// SPDX-License-Identifier: Apache-2.0
import { useState } from 'react';
import type { SpanLog } from '#api/jaeger-json.ts';
import controls from '#components/controls.module.css';
import { formatDuration } from '#model/duration.ts';
import { formatLocalTime } from '#model/time-format.ts';
import { findValue } from '#model/trace.ts';
import { AttributeTable } from './attribute-table.tsx';
import styles from './span-detail.module.css';

/** Events that are listed before "show all": thousands on one span do occur. */
const FIRST_EVENTS = 50;

/** Events of a span in the order of time, each with its time since the span's start. */
export function SpanEvents({
  logs,
  spanStartUs,
}: {
  logs: readonly SpanLog[];
  /** Epoch µs. */
  spanStartUs: number;
}) {
  const [showAll, setShowAll] = useState(false);
  const ordered = logs.toSorted((a, b) => a.timestamp - b.timestamp);
  const shown = showAll ? ordered : ordered.slice(0, FIRST_EVENTS);
  return (
    <>
      <ol className={styles['events']}>
        {shown.map((log, index) => {
          const fields = log.fields.filter(({ key }) => key !== 'event');
          return (
            <li key={index}>
              <p>
                <time title={formatLocalTime(log.timestamp)}>
                  {log.timestamp < spanStartUs ? '' : '+'}
                  {formatDuration(log.timestamp - spanStartUs)}
                </time>{' '}
                <b>{findValue(log.fields, 'event') ?? 'event'}</b>
              </p>
              {fields.length > 0 && <AttributeTable namespace="" attributes={fields} />}
            </li>
          );
        })}
      </ol>
      {shown.length < ordered.length && (
        <button type="button" className={controls['text']} onClick={() => setShowAll(true)}>
          Show all {ordered.length.toLocaleString('en')} events
        </button>
      )}
    </>
  );
}
