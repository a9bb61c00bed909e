// SPDX-License-Identifier: Apache-2.0
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import {
  type SearchState,
  formatSearchState,
  lookbackUs,
  toTracesQuery,
  validateSearch,
} from '#model/search-params.ts';
import { type TraceSummary, decodeSummaries } from '#model/trace-summary.ts';
import { createTrace } from '#model/trace.ts';
import { ApiError } from './api-error.ts';
import { fetchDependencies } from './fetch-dependencies.ts';
import { fetchData, fetchPage } from './fetch-json.ts';
import { decodeTexts, decodeTraces } from './jaeger-json.ts';

const SUMMARIES_PATH = '/api/trace-summaries';

/** How often the page looks for the first service while there is none, in ms. */
const FIRST_SERVICE_POLL_MS = 2000;
/** How long the lists of services and operations count as fresh, in ms. */
const NAMES_STALE_MS = 30_000;

/** Names of all services, sorted. Asked again and again until there is one. */
export const servicesQuery = queryOptions({
  queryKey: ['services'],
  queryFn: async ({ signal }) =>
    decodeTexts(await fetchData('/api/services', signal), '/api/services').toSorted(),
  staleTime: NAMES_STALE_MS,
  refetchInterval: (query) => (query.state.data?.length === 0 ? FIRST_SERVICE_POLL_MS : false),
});

/** Names of the operations of a service, sorted. */
export function operationsQuery(service: string) {
  const path = `/api/services/${encodeURIComponent(service)}/operations`;
  return queryOptions({
    queryKey: ['operations', service],
    queryFn: async ({ signal }) => decodeTexts(await fetchData(path, signal), path).toSorted(),
    staleTime: NAMES_STALE_MS,
    enabled: service !== '',
  });
}

/** A page of a search. */
export interface FoundPage {
  readonly traces: readonly TraceSummary[];
  /** Token of the next page, if there is one. */
  readonly nextPage: string | undefined;
  /** When it was asked for, epoch µs: the end of its window unless that was given. */
  readonly foundUs: number;
  /** What the server says beside it. */
  readonly warnings: readonly string[];
}

/** Key of a search; equal for equal states. */
export function tracesKey(state: SearchState): readonly unknown[] {
  return ['traces', formatSearchState(state)];
}

/** Result of a search. It stays as it was found, so that coming back finds the same list. */
export function tracesQuery(state: SearchState) {
  return queryOptions({
    queryKey: tracesKey(state),
    queryFn: async ({ signal }): Promise<FoundPage> => {
      const foundUs = Date.now() * 1000;
      const path = `${SUMMARIES_PATH}?${toTracesQuery(state, foundUs)}&details=true`;
      const { data, nextPage, warnings } = await fetchPage(path, signal);
      return { traces: decodeSummaries(data, SUMMARIES_PATH), nextPage, foundUs, warnings };
    },
    staleTime: Infinity,
    placeholderData: keepPreviousData,
    enabled: Object.keys(validateSearch(state)).length === 0,
  });
}

/** Which services called which within a look-back such as `6h`. */
export function dependenciesQuery(lookback: string) {
  return queryOptions({
    queryKey: ['dependencies', lookback],
    queryFn: ({ signal }) => {
      const lookbackMs = Math.round((lookbackUs(lookback) ?? 0) / 1000);
      return fetchDependencies({ nowMs: Date.now(), lookbackMs }, signal);
    },
    staleTime: NAMES_STALE_MS,
    placeholderData: keepPreviousData,
  });
}

/** One trace, ready for showing. */
export function traceQuery(traceId: string) {
  const path = `/api/traces/${encodeURIComponent(traceId)}`;
  return queryOptions({
    queryKey: ['trace', traceId],
    queryFn: async ({ signal }) => {
      const [trace] = decodeTraces(await fetchData(path, signal), path);
      if (trace === undefined) throw new ApiError('Trace not found', 'The answer is empty.', 404);
      return createTrace(trace);
    },
    // Late spans are fetched when the page is opened anew.
    staleTime: 10_000,
    // A trace of 100,000 spans takes some 100 MB: it goes soon after its page is left.
    gcTime: 60_000,
    structuralSharing: false,
  });
}
