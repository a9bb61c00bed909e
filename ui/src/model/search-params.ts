// SPDX-License-Identifier: Apache-2.0
import { type Parsed, parseDuration } from './duration.ts';
import { formatLogfmt, parseLogfmt } from './logfmt.ts';

/** Most traces that one search returns. */
export const MAX_LIMIT = 1500;
const DEFAULT_LIMIT = 20;
const DEFAULT_LOOKBACK = '1h';

/** The look-backs on offer; any other `<number><m|h|d|w>` in a link works as well. */
export const LOOKBACKS: readonly (readonly [value: string, label: string])[] = [
  ['15m', 'Last 15 minutes'],
  ['1h', 'Last hour'],
  ['6h', 'Last 6 hours'],
  ['24h', 'Last 24 hours'],
  ['2d', 'Last 2 days'],
  ['7d', 'Last 7 days'],
];

/** The orders on offer, as the API calls them; the first is the usual one. */
export const ORDERS: readonly (readonly [value: string, label: string])[] = [
  ['newest', 'Newest first'],
  ['oldest', 'Oldest first'],
  ['longest', 'Longest first'],
  ['shortest', 'Shortest first'],
  ['most_spans', 'Most spans first'],
  ['most_errors', 'Most errors first'],
];

const LOOKBACK_UNITS_US: Readonly<Record<string, number>> = {
  m: 60e6,
  h: 3600e6,
  d: 86_400e6,
  w: 604_800e6,
};

/** The search form, as it is in the URL. Texts are as typed, so that a faulty link shows its fault. */
export interface SearchState {
  /** Empty for all services. */
  readonly service: string;
  /** Empty for all operations. */
  readonly operation: string;
  /** Logfmt. */
  readonly attributes: string;
  /** A condition in TraceQL, which the server checks. */
  readonly traceql: string;
  readonly minDuration: string;
  readonly maxDuration: string;
  /** Such as `1h`, or `custom` for `start` and `end`. */
  readonly lookback: string;
  /** Epoch µs; only with `custom`. */
  readonly start: number | undefined;
  /** Epoch µs; with `custom`, and on later pages: the window of all pages is that of the first one. */
  readonly end: number | undefined;
  readonly limit: number;
  /** One of {@link ORDERS}. */
  readonly order: string;
  /** Token of a later page as the server gave it; empty for the first. */
  readonly page: string;
}

/** A field of the form that can be wrong. */
export type SearchField = 'attributes' | 'minDuration' | 'maxDuration' | 'time';

/** What is wrong with a search, by field. */
export type SearchErrors = Partial<Record<SearchField, string>>;

/**
 * Reads the query string of the search page, Jaeger's own links included (`tags` as JSON,
 * `lookback` next to `start` and `end`). Never fails: what makes no sense becomes the default.
 */
export function parseSearchState(params: Readonly<Record<string, unknown>>): SearchState {
  const start = readEpochUs(params['start']);
  const end = readEpochUs(params['end']);
  const given = text(params['lookback']);
  const relative = lookbackUs(given) !== undefined;
  const custom = given === 'custom' || (!relative && start !== undefined && end !== undefined);
  const limit = Number(text(params['limit']));
  const order = text(params['order']);
  // A page without its window is that of no search.
  const page = custom || end !== undefined ? text(params['page']) : '';
  return {
    service: text(params['service']),
    // Jaeger's form writes "all" for every operation.
    operation: text(params['operation']) === 'all' ? '' : text(params['operation']),
    attributes: readAttributes(text(params['tags'])),
    traceql: text(params['q']),
    minDuration: text(params['minDuration']),
    maxDuration: text(params['maxDuration']),
    lookback: custom ? 'custom' : relative ? given : DEFAULT_LOOKBACK,
    start: custom ? start : undefined,
    end: custom || page !== '' ? end : undefined,
    limit: Number.isInteger(limit) && limit > 0 ? Math.min(limit, MAX_LIMIT) : DEFAULT_LIMIT,
    order: ORDERS.some(([value]) => value === order) ? order : ORDERS[0]![0],
    page,
  };
}

/** Writes what differs from the defaults, so that links stay short. */
export function formatSearchState(state: SearchState): Record<string, string> {
  const params: Record<string, string> = {};
  if (state.service !== '') params['service'] = state.service;
  if (state.operation !== '') params['operation'] = state.operation;
  if (state.attributes !== '') params['tags'] = state.attributes;
  if (state.traceql !== '') params['q'] = state.traceql;
  if (state.minDuration !== '') params['minDuration'] = state.minDuration;
  if (state.maxDuration !== '') params['maxDuration'] = state.maxDuration;
  if (state.lookback !== DEFAULT_LOOKBACK) params['lookback'] = state.lookback;
  if (state.start !== undefined) params['start'] = String(state.start);
  if (state.end !== undefined) params['end'] = String(state.end);
  if (state.limit !== DEFAULT_LIMIT) params['limit'] = String(state.limit);
  if (state.order !== ORDERS[0]![0]) params['order'] = state.order;
  if (state.page !== '') params['page'] = state.page;
  return params;
}

/** The same search from its first page on, over the window of now. */
export function firstPage(state: SearchState): SearchState {
  return { ...state, end: state.lookback === 'custom' ? state.end : undefined, page: '' };
}

/**
 * The page after the one that was found.
 * @param foundUs end of the window of that page when it was relative, epoch µs
 */
export function nextPage(state: SearchState, page: string, foundUs: number): SearchState {
  return { ...state, end: state.end ?? foundUs, page };
}

/** Everything that is wrong with a search; empty when it can be sent. */
export function validateSearch(state: SearchState): SearchErrors {
  const errors: SearchErrors = {};
  const attributes = parseLogfmt(state.attributes);
  if ('error' in attributes) errors.attributes = attributes.error;
  const min = readDuration(state.minDuration);
  if ('error' in min) errors.minDuration = min.error;
  const max = readDuration(state.maxDuration);
  if ('error' in max) errors.maxDuration = max.error;
  if ('value' in min && 'value' in max && min.value !== undefined && max.value !== undefined) {
    if (max.value < min.value) errors.maxDuration = 'The longest is below the shortest duration.';
  }
  if (state.lookback === 'custom') {
    if (state.start === undefined || state.end === undefined) {
      errors.time = 'Give both a start and an end.';
    } else if (state.end <= state.start) {
      errors.time = 'The end is not after the start.';
    }
  }
  return errors;
}

/**
 * The query string of a search of the API for a valid one of the page.
 * @param nowUs end of a relative look-back, epoch µs.
 */
export function toTracesQuery(state: SearchState, nowUs: number): URLSearchParams {
  const query = new URLSearchParams();
  if (state.service !== '') query.set('service', state.service);
  if (state.service !== '' && state.operation !== '') query.set('operation', state.operation);
  const attributes = parseLogfmt(state.attributes);
  if ('value' in attributes && attributes.value.length > 0) {
    query.set('tags', JSON.stringify(Object.fromEntries(attributes.value)));
  }
  if (state.traceql.trim() !== '') query.set('q', state.traceql);
  for (const name of ['minDuration', 'maxDuration'] as const) {
    const duration = state[name].replaceAll(/\s/g, '').replaceAll(/[µμ]/g, 'u');
    if (duration !== '') query.set(name, duration);
  }
  const spanUs = lookbackUs(state.lookback);
  const end = state.end ?? nowUs;
  query.set('start', String(spanUs === undefined ? (state.start ?? 0) : end - spanUs));
  query.set('end', String(end));
  query.set('limit', String(state.limit));
  if (state.order !== ORDERS[0]![0]) query.set('order', state.order);
  if (state.page !== '') query.set('page', state.page);
  return query;
}

/** How every message of the server about a faulty query in TraceQL begins. */
const TRACEQL_FAULT = 'TraceQL, ';

/** What the server says of the TraceQL of a search; undefined when it refused it for something else. */
export function traceqlFault(message: string): string | undefined {
  return message.startsWith(TRACEQL_FAULT) ? message.slice(TRACEQL_FAULT.length) : undefined;
}

/** Length of a look-back such as `15m` or `4w` in µs, or undefined when it is none. */
export function lookbackUs(lookback: string): number | undefined {
  const match = /^(\d{1,4})([mhdw])$/.exec(lookback);
  if (match === null || Number(match[1]) === 0) return undefined;
  return Number(match[1]) * LOOKBACK_UNITS_US[match[2]!]!;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function readEpochUs(value: unknown): number | undefined {
  const digits = text(value);
  // 16 digits reach the year 2286 and stay below 2^53.
  return /^\d{1,16}$/.test(digits) ? Number(digits) : undefined;
}

function readAttributes(tags: string): string {
  if (!tags.trimStart().startsWith('{')) return tags;
  try {
    const parsed: unknown = JSON.parse(tags);
    if (typeof parsed !== 'object' || parsed === null) return tags;
    return formatLogfmt(Object.entries(parsed).map(([key, value]) => [key, String(value)]));
  } catch {
    // Not JSON after all: shown as typed, with the fault named beside it.
    return tags;
  }
}

function readDuration(typed: string): Parsed<number | undefined> {
  return typed.trim() === '' ? { value: undefined } : parseDuration(typed);
}
