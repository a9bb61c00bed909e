// SPDX-License-Identifier: Apache-2.0
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';
import { servicesQuery, tracesKey, tracesQuery } from '#api/queries.ts';
import {
  ORDERS,
  type SearchState,
  firstPage,
  formatSearchState,
  nextPage,
  parseSearchState,
  traceqlFault,
  validateSearch,
} from '#model/search-params.ts';
import { FirstTrace } from './first-trace.tsx';
import { NoMatch } from './no-match.tsx';
import { Pager } from './pager.tsx';
import { ResultList, ResultSkeleton } from './result-list.tsx';
import { SearchForm } from './search-form.tsx';
import styles from './search-page.module.css';
import { AnswerWarnings, FailureNotice } from '#components/notice.tsx';
import { formatLocalClock } from '#model/time-format.ts';
import controls from '#components/controls.module.css';

const route = getRouteApi('/search');

/** Search over traces: one form bar, and the results, page by page in the order of the server. */
export function SearchPage() {
  const params = route.useSearch();
  const navigate = route.useNavigate();
  const queryClient = useQueryClient();
  const state = useMemo(() => parseSearchState(params), [params]);
  const services = useQuery(servicesQuery);
  const found = useQuery(tracesQuery(state));

  useEffect(() => {
    document.title = state.service === '' ? 'Search · Spoor' : `${state.service} · Spoor`;
  }, [state.service]);

  const noData = services.data?.length === 0;
  // What was searched while the store was empty is out of date once a service appears.
  useEffect(() => {
    if (noData) return () => void queryClient.invalidateQueries({ queryKey: ['traces'] });
    return undefined;
  }, [noData, queryClient]);

  const search = (changed: SearchState) => {
    const next = firstPage(changed);
    // Asking again means asking for what is there now.
    void queryClient.invalidateQueries({ queryKey: tracesKey(next), exact: true });
    void navigate({ search: formatSearchState(next) });
  };

  if (noData) return <FirstTrace />;
  const fault = found.error === null ? undefined : traceqlFault(found.error.message);
  const invalid = Object.keys(validateSearch(state)).length > 0 || fault !== undefined;
  return (
    <>
      <SearchForm
        state={state}
        services={services.data ?? []}
        servicesFault={services.error?.message}
        traceqlFault={fault}
        onSearch={search}
      />
      {invalid ? (
        <p className={styles['hint']}>The search cannot be sent like this. See above.</p>
      ) : found.error !== null ? (
        <FailureNotice
          error={found.error}
          onRetry={() => {
            void found.refetch();
            if (services.isError) void services.refetch();
          }}
        />
      ) : found.data === undefined ? (
        <ResultSkeleton />
      ) : (
        <section aria-label="Results" aria-busy={found.isFetching}>
          <div className={styles['summary']}>
            <h1>{countText(found.data.traces.length)}</h1>
            <p>as of {formatLocalClock(state.end ?? found.data.foundUs).slice(0, 8)}</p>
            <button type="button" className={controls['text']} onClick={() => void found.refetch()}>
              Refresh
            </button>
            <select
              aria-label="Order"
              className={`${controls['select']} ${styles['order']}`}
              value={state.order}
              onChange={(event) => search({ ...state, order: event.target.value })}
            >
              {ORDERS.map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
            {found.isFetching && (
              <span className={styles['progress']} role="status" aria-label="Searching" />
            )}
          </div>
          <AnswerWarnings warnings={found.data.warnings} />
          {found.data.traces.length === 0 ? (
            <NoMatch state={state} onSearch={search} />
          ) : (
            <ResultList traces={found.data.traces} isStale={found.isPlaceholderData} />
          )}
          <Pager
            state={state}
            next={
              found.data.nextPage === undefined || found.isPlaceholderData
                ? undefined
                : nextPage(state, found.data.nextPage, found.data.foundUs)
            }
          />
        </section>
      )}
    </>
  );
}

function countText(count: number): string {
  if (count === 0) return 'No traces';
  return count === 1 ? '1 trace' : `${count.toLocaleString('en')} traces`;
}
