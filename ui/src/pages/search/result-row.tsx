// SPDX-License-Identifier: Apache-2.0
import { Link, useLocation } from '@tanstack/react-router';
import { memo } from 'react';
import { ErrorIcon } from '#components/icons.tsx';
import { formatDuration } from '#model/duration.ts';
import { serviceHue } from '#model/service-colour.ts';
import {
  formatAge,
  formatLocalClock,
  formatLocalDate,
  formatLocalTime,
} from '#model/time-format.ts';
import type { ServicePart, TraceSummary } from '#model/trace-summary.ts';
import styles from './result-list.module.css';

/** Most services that get a segment of their own; more would be thinner than a pixel. */
const MAX_SEGMENTS = 12;

/** One trace of the list; all of it is the link to the trace. */
export const ResultRow = memo(function ResultRow({
  trace,
  longestUs,
  nowUs,
}: {
  trace: TraceSummary;
  /** Of all traces in the list: the full width of a duration bar. */
  longestUs: number;
  nowUs: number;
}) {
  const searchHref = useLocation({ select: (location) => location.href });
  const { rootService, rootOperation, durationUs, spanCount, errorCount, startUs, parts } = trace;
  const today = formatLocalDate(startUs) === formatLocalDate(nowUs);
  const duration = formatDuration(durationUs);
  const age = formatAge(startUs, nowUs);
  return (
    <Link
      to="/trace/$traceId"
      params={{ traceId: trace.traceId }}
      state={{ searchHref }}
      className={styles['row']}
      style={{ '--hue': serviceHue(rootService) }}
      aria-label={describe(trace, duration, age)}
    >
      <span className={styles['name']} title={`${rootService} ${rootOperation}`.trim()}>
        <i className={styles['swatch']} />
        <b>{rootService}</b>
        <span>{rootOperation}</span>
        {trace.rootMissing && <em title="The root span is not in the trace (yet)">no root</em>}
      </span>
      <span className={styles['services']} title={describeParts(parts)}>
        <span className={styles['segments']}>
          {parts.slice(0, MAX_SEGMENTS).map(({ service, selfUs, spanCount: spans }) => (
            <i
              key={service}
              className={styles['segment']}
              style={{ '--hue': serviceHue(service), flexGrow: (selfUs ?? spans) + 1 }}
            />
          ))}
        </span>
        <span className={styles['count']}>{parts.length}</span>
      </span>
      <span className={styles['duration']}>
        <span className={styles['scale']}>
          <i style={{ width: `${(100 * durationUs) / longestUs}%` }} />
        </span>
        <span>{duration}</span>
      </span>
      <span className={`${styles['spans']} ${styles['number']}`}>
        {spanCount.toLocaleString('en')}
        <small>{spanCount === 1 ? ' span' : ' spans'}</small>
      </span>
      <span className={`${styles['errors']} ${styles['number']}`}>
        {errorCount > 0 && (
          <>
            <ErrorIcon /> {errorCount}
          </>
        )}
      </span>
      <span className={styles['start']} title={formatLocalTime(startUs)}>
        {today ? formatLocalClock(startUs) : formatLocalTime(startUs).slice(0, 19)}
      </span>
      <span className={`${styles['age']} ${styles['number']}`}>{age}</span>
    </Link>
  );
});

function describe(trace: TraceSummary, duration: string, age: string): string {
  const { rootService, rootOperation, spanCount, errorCount, parts } = trace;
  return [
    `${rootService} ${rootOperation}`.trim(),
    duration,
    spanCount === 1 ? '1 span' : `${spanCount} spans`,
    ...(errorCount > 0 ? [errorCount === 1 ? '1 error' : `${errorCount} errors`] : []),
    parts.length === 1 ? '1 service' : `${parts.length} services`,
    age,
  ].join(', ');
}

function describeParts(parts: readonly ServicePart[]): string {
  return parts
    .map(({ service, spanCount, selfUs }) => {
      const spans = spanCount === 1 ? '1 span' : `${spanCount.toLocaleString('en')} spans`;
      return `${service}: ${selfUs === undefined ? '' : `${formatDuration(selfUs)} in `}${spans}`;
    })
    .join('\n');
}
