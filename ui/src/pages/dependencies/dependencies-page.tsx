// SPDX-License-Identifier: Apache-2.0
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useEffect } from 'react';
import { dependenciesQuery } from '#api/queries.ts';
import controls from '#components/controls.module.css';
import { AnswerWarnings, FailureNotice, Notice } from '#components/notice.tsx';
import {
  formatDependencySort,
  nextDependencySort,
  parseDependencySort,
  sortDependencies,
} from '#model/dependency.ts';
import { LOOKBACKS } from '#model/search-params.ts';
import { formatLocalClock } from '#model/time-format.ts';
import { DependencyTable } from './dependency-table.tsx';
import styles from './dependencies-page.module.css';

const route = getRouteApi('/dependencies');
const DEFAULT_LOOKBACK = '24h';

/** Which services call which, as a list. */
export function DependenciesPage() {
  const { lookback = DEFAULT_LOOKBACK, sort: sortText = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const found = useQuery(dependenciesQuery(lookback));
  const sort = parseDependencySort(sortText);
  useEffect(() => {
    document.title = 'Dependencies · Spoor';
  }, []);

  const show = (change: { lookback?: string; sort?: string }, replace = false) => {
    const next = { lookback, sort: sortText, ...change };
    void navigate({
      search: {
        ...(next.lookback === DEFAULT_LOOKBACK ? {} : { lookback: next.lookback }),
        ...(next.sort === '' ? {} : { sort: next.sort }),
      },
      replace,
    });
  };
  const period = LOOKBACKS.find(([value]) => value === lookback)?.[1] ?? `Last ${lookback}`;

  return (
    <section aria-label="Dependencies" aria-busy={found.isFetching}>
      <div className={styles['head']}>
        <h1>Dependencies</h1>
        {found.data !== undefined && (
          <p>
            {found.data.pairs.length === 1
              ? '1 pair'
              : `${found.data.pairs.length.toLocaleString('en')} pairs`}
            {' of services · as of '}
            {formatLocalClock(found.dataUpdatedAt * 1000).slice(0, 8)}
          </p>
        )}
        <button type="button" className={controls['text']} onClick={() => void found.refetch()}>
          Refresh
        </button>
        <select
          aria-label="Time"
          className={`${controls['select']} ${styles['time']}`}
          value={lookback}
          onChange={(event) => show({ lookback: event.target.value })}
        >
          {LOOKBACKS.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
          {!LOOKBACKS.some(([value]) => value === lookback) && (
            <option value={lookback}>{period}</option>
          )}
        </select>
      </div>
      <AnswerWarnings warnings={found.data?.warnings ?? []} />
      {found.error !== null ? (
        <FailureNotice error={found.error} onRetry={() => void found.refetch()} />
      ) : found.data === undefined ? (
        <p className={styles['hint']} role="status">
          Counting calls
        </p>
      ) : found.data.pairs.length === 0 ? (
        <Notice title="No calls between services">
          <p>
            In the {period.toLowerCase()}, no span was called by a span of another service. Choose a
            longer time, or look whether services pass on the trace context.
          </p>
        </Notice>
      ) : (
        <DependencyTable
          rows={sortDependencies(found.data.pairs, sort)}
          sort={sort}
          isStale={found.isPlaceholderData}
          onSort={(column) =>
            // Sorting is not worth a step of the Back button.
            show({ sort: formatDependencySort(nextDependencySort(sort, column)) }, true)
          }
        />
      )}
    </section>
  );
}
