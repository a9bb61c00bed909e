// SPDX-License-Identifier: Apache-2.0
import { SpoorError, quote } from '@spoor/core/model/errors.ts';
import { parseTraceId, type TraceId } from '@spoor/core/model/ids.ts';
import type { TraceQuery } from '@spoor/core/query/trace-query.ts';
import { parseGoDuration } from './go-duration.ts';
import { allOf, durationPredicate, intrinsicEquals, tagPredicate } from './tag-predicate.ts';

/** Traces of a search without `limit`. */
const DEFAULT_LIMIT = 100;
/** The most that a search may ask for; the store's own bound. */
const MAX_LIMIT = 10_000;
/** How far back a search without `start` looks, as Jaeger does: two days, in µs. */
const DEFAULT_LOOKBACK_MICROS = 48n * 3600n * 1_000_000n;
/** The most traces that are fetched by id in one request. */
const MAX_TRACE_IDS = 1000;

/** What `GET /api/traces` asks for. */
export type TraceSearch =
  | { readonly kind: 'ids'; readonly ids: readonly TraceId[] }
  | { readonly kind: 'query'; readonly query: TraceQuery };

/**
 * Compiles the parameters of `GET /api/traces`. Without `service` all services are searched.
 * All conditions hold on one and the same span.
 * @param nowUnixMs the time that `end` and `start` are counted from when they are missing
 * @throws {SpoorError} invalid_argument
 */
export function parseTraceSearch(params: URLSearchParams, nowUnixMs: number): TraceSearch {
  const ids = params.getAll('traceID').filter((id) => id !== '');
  if (ids.length > 0) {
    if (ids.length > MAX_TRACE_IDS) {
      throw invalid(`${ids.length} 'traceID' parameters are more than ${MAX_TRACE_IDS}`);
    }
    return { kind: 'ids', ids: [...new Set(ids.map(parseTraceId))] };
  }
  const end = microsParam(params, 'end') ?? BigInt(nowUnixMs) * 1000n;
  const start = microsParam(params, 'start') ?? end - DEFAULT_LOOKBACK_MICROS;
  if (start > end) throw invalid(`'end' ${end} should not be before 'start' ${start}`);

  const min = durationParam(params, 'minDuration');
  const max = durationParam(params, 'maxDuration');
  if (min !== undefined && max !== undefined && max < min) {
    throw invalid(`'maxDuration' should be greater than 'minDuration'`);
  }
  const service = textParam(params, 'service');
  const operation = textParam(params, 'operation');
  return {
    kind: 'query',
    query: {
      where: allOf([
        ...(service === undefined ? [] : [intrinsicEquals('service', service)]),
        ...(operation === undefined ? [] : [intrinsicEquals('name', operation)]),
        ...tagParams(params).map(([key, value]) => tagPredicate(key, value)),
        ...(min === undefined ? [] : [durationPredicate('ge', min)]),
        ...(max === undefined ? [] : [durationPredicate('le', max)]),
      ]),
      startMinUnixNano: start * 1000n,
      // `end` is inclusive and counts whole µs.
      startMaxUnixNano: (end + 1n) * 1000n,
      limit: limitParam(params),
    },
  };
}

function invalid(message: string): SpoorError {
  return new SpoorError('invalid_argument', message);
}

// A form sends every field, the ones that were left empty too.
function textParam(params: URLSearchParams, name: string): string | undefined {
  return params.get(name) || undefined;
}

function microsParam(params: URLSearchParams, name: string): bigint | undefined {
  const text = textParam(params, name);
  if (text === undefined) return undefined;
  // 16 digits of µs reach to the year 2286.
  if (!/^\d{1,16}$/.test(text)) {
    throw invalid(
      `unable to parse param '${name}': ${quote(text)} is not a Unix time in microseconds`,
    );
  }
  return BigInt(text);
}

function durationParam(params: URLSearchParams, name: string): bigint | undefined {
  const text = textParam(params, name);
  if (text === undefined) return undefined;
  const nanos = parseGoDuration(text);
  if (nanos === undefined) {
    throw invalid(
      `unable to parse param '${name}': ${quote(text)} is not a duration such as 1.2s, 100ms or 500us`,
    );
  }
  return nanos;
}

function limitParam(params: URLSearchParams): number {
  const text = textParam(params, 'limit');
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = Number(text);
  if (!/^\d{1,9}$/.test(text) || limit < 1 || limit > MAX_LIMIT) {
    throw invalid(
      `unable to parse param 'limit': ${quote(text)} is not a number from 1 to ${MAX_LIMIT}`,
    );
  }
  return limit;
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
    if (text !== '') tags.push(...parseTagsJson(text));
  }
  return tags;
}

function parseTagsJson(text: string): [key: string, value: string][] {
  let tags: unknown;
  try {
    tags = JSON.parse(text);
  } catch (error) {
    throw new SpoorError(
      'invalid_argument',
      `malformed 'tags' parameter, cannot unmarshal JSON: ${quote(text)}`,
      { cause: error },
    );
  }
  if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) {
    throw invalid(`malformed 'tags' parameter, expecting a JSON object, received: ${quote(text)}`);
  }
  return Object.entries(tags).map(([key, value]: [string, unknown]) => {
    // Jaeger wants texts only; a number or boolean can mean nothing else, so it is taken too.
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw invalid(`malformed 'tags' parameter, the value of ${quote(key)} is not a string`);
    }
    return [key, String(value)];
  });
}
