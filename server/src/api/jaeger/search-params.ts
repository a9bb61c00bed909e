// SPDX-License-Identifier: Apache-2.0
import { SpoorError, quote } from '@spoor/core/model/errors.ts';
import { parseTraceId, type TraceId } from '@spoor/core/model/ids.ts';
import type { TraceQuery } from '@spoor/core/query/trace-query.ts';
import { refuseMisspelled, type RouteParams } from './misspelled-params.ts';
import { ParamReader } from './param-reader.ts';
import { durationPredicate, nameIs, serviceIs, tagPredicate } from './tag-predicate.ts';
import { parseTagsJson } from './tags-json.ts';
import { checkRange, readPage, readTraceQuery, TRACE_PARAMS } from './trace-params.ts';

/** How far back a search without `start` looks, as Jaeger does: two days, in ns. */
const DEFAULT_LOOKBACK_NANOS = 48n * 3600n * 1_000_000_000n;
/** The most traces that are fetched by id in one request. */
const MAX_TRACE_IDS = 1000;

const PARAMS: RouteParams = {
  names: [
    'service',
    'operation',
    'tag',
    'tags',
    'start',
    'end',
    'limit',
    'minDuration',
    'maxDuration',
    'traceID',
    'raw',
    'details',
    ...TRACE_PARAMS,
  ],
  // Jaeger's page sends it beside `start` and `end`.
  ignored: ['lookback'],
};

/** What `GET /api/traces` asks for. */
export type TraceSearch =
  | { readonly kind: 'ids'; readonly ids: readonly TraceId[] }
  | { readonly kind: 'query'; readonly query: TraceQuery };

/**
 * Compiles the parameters of `GET /api/traces`.
 * @param nowUnixMs the time that `end` and `start` are counted from when they are missing
 * @throws {SpoorError} invalid_argument
 */
export function parseTraceSearch(params: URLSearchParams, nowUnixMs: number): TraceSearch {
  refuseMisspelled(params, PARAMS);
  const ids = params.getAll('traceID').filter((id) => id !== '');
  if (ids.length === 0) return { kind: 'query', query: parseTraceQuery(params, nowUnixMs) };
  if (ids.length > MAX_TRACE_IDS) {
    throw invalid(`${ids.length} 'traceID' parameters are more than ${MAX_TRACE_IDS}`);
  }
  return { kind: 'ids', ids: [...new Set(ids.map(parseTraceId))] };
}

/**
 * Compiles the parameters of a search. Without `service` all services are searched. All conditions on spans hold on one and
 * the same span.
 * @param nowUnixMs as for {@link parseTraceSearch}
 * @throws {SpoorError} invalid_argument
 */
export function parseTraceQuery(params: URLSearchParams, nowUnixMs: number): TraceQuery {
  const reader = new ParamReader(params);
  const start = reader.micros('start');
  // Inclusive, in whole µs.
  const end = reader.micros('end');
  if (start !== undefined && end !== undefined && start > end) {
    throw invalid(`'end' ${end} should not be before 'start' ${start}`);
  }
  const startMaxUnixNano =
    end === undefined
      ? (readPage(reader)?.startMaxUnixNano ?? BigInt(nowUnixMs) * 1_000_000n + 1000n)
      : (end + 1n) * 1000n;
  const startMinUnixNano =
    start === undefined ? startMaxUnixNano - 1000n - DEFAULT_LOOKBACK_NANOS : start * 1000n;

  // To Jaeger 0 is the same as no bound.
  const min = reader.duration('minDuration') || undefined;
  const max = reader.duration('maxDuration') || undefined;
  checkRange(reader, ['minDuration', min], ['maxDuration', max]);
  const service = reader.text('service');
  const operation = reader.text('operation');
  const where = [
    ...(service === undefined ? [] : [serviceIs(service)]),
    ...(operation === undefined ? [] : [nameIs(operation)]),
    ...tagParams(params).map(([key, value]) => tagPredicate(key, value)),
    ...(min === undefined ? [] : [durationPredicate('ge', min)]),
    ...(max === undefined ? [] : [durationPredicate('le', max)]),
  ];
  return readTraceQuery(reader, { where, startMinUnixNano, startMaxUnixNano }, 'limit');
}

function invalid(message: string): SpoorError {
  return new SpoorError('invalid_argument', message);
}

/** `tag=key:value`, repeated, and `tags={"key":"value"}`. */
function tagParams(params: URLSearchParams): [key: string, value: string][] {
  const tags: [string, string][] = [];
  for (const tag of params.getAll('tag')) {
    if (tag === '') continue;
    const colon = tag.indexOf(':');
    if (colon <= 0) {
      throw invalid(`malformed 'tag' parameter, expecting key:value, received: ${quote(tag)}`);
    }
    tags.push([tag.slice(0, colon), tag.slice(colon + 1)]);
  }
  for (const text of params.getAll('tags')) {
    if (text !== '') tags.push(...parseTagsJson('tags', text));
  }
  return tags;
}
