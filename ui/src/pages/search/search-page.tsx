// SPDX-License-Identifier: Apache-2.0
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';
import { servicesQuery, tracesKey, tracesQuery } from '#api/queries.ts';
import {
  type SearchState,
  formatSearchState,
  parseSearchState,
  validateSearch,
} from '#model/search-params.ts';
import { FirstTrace } from './first-trace.tsx';
import { NoMatch } from './no-match.tsx';
import { ResultList, ResultSkeleton } from './result-list.tsx';
import { SearchForm } from './search-form.tsx';
import styles from './search-page.module.css';
import { FailureNotice } from '#components/notice.tsx';
import { formatLocalClock } from '#model/time-format.ts';
import controls from '#components/controls.module.css';

const route = getRouteApi('/search');

/** Search over traces: one form bar, and the results, the newest first. */
export function SearchPage() {
  const params = route.useSearch();
  const navigate = route.useNavigate();
  const queryClient = useQueryClient();
  const state = useMemo(() => parseSearchState(params), [params]);
  const services = useQuery(servicesQuery);
  const traces = useQuery(tracesQuery(state));

  useEffect(() => {
    document.title = state.service === '' ? 'Search · Spoor' : `${state.service} · Spoor`;
  }, [state.service]);

  const noData = services.data?.length === 0;
  // What was searched while the store was empty is out of date once a service appears.
  useEffect(() => {
    if (noData) return () => void queryClient.invalidateQueries({ queryKey: ['traces'] });
    return undefined;
  }, [noData, queryClient]);

  const search = (next: SearchState) => {
    // Asking again means asking for what is there now.
    void queryClient.invalidateQueries({ queryKey: tracesKey(next), exact: true });
    void navigate({ search: formatSearchState(next) });
  };

  if (noData) return <FirstTrace />;
  const invalid = Object.keys(validateSearch(state)).length > 0;
  return (
    <>
      <SearchForm
        state={state}
        services={services.data ?? []}
        servicesFault={services.error?.message}
        onSearch={search}
      />
      {invalid ? (
        <p className={styles['hint']}>The search cannot be sent like this. See above.</p>
      ) : traces.error !== null ? (
        <FailureNotice
          error={traces.error}
          onRetry={() => {
            void traces.refetch();
            if (services.isError) void services.refetch();
          }}
        />
      ) : traces.data === undefined ? (
        <ResultSkeleton />
      ) : (
        <section aria-label="Results" aria-busy={traces.isFetching}>
          <div className={styles['summary']}>
            <h1>
              {traces.data.length === 0
                ? 'No traces'
                : traces.data.length === 1
                  ? '1 trace'
                  : `${traces.data.length.toLocaleString('en')} traces`}
            </h1>
            <p>
              {traces.data.length === state.limit && 'the newest · '}
              as of {formatLocalClock(traces.dataUpdatedAt * 1000).slice(0, 8)}
            </p>
            <button
              type="button"
              className={controls['text']}
              onClick={() => void traces.refetch()}
            >
              Refresh
            </button>
            {traces.isFetching && (
              <span className={styles['progress']} role="status" aria-label="Searching" />
            )}
          </div>
          {traces.data.length === 0 ? (
            <NoMatch state={state} onSearch={search} />
          ) : (
            <ResultList traces={traces.data} isStale={traces.isPlaceholderData} />
          )}
        </section>
      )}
    </>
  );
}
