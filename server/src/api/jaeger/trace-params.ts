// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import { parsePageToken, resumeQuery, type PageToken } from '@spoor/core/query/page-token.ts';
import {
  TRACE_ORDERS,
  type SpanPredicate,
  type TraceField,
  type TraceOrder,
  type TracePredicate,
  type TraceQuery,
} from '@spoor/core/query/trace-query.ts';
import { compileTraceql } from '@spoor/core/query/traceql/compile-traceql.ts';
import { storedServices } from '@spoor/core/query/unnamed-service.ts';
import type { ParamReader } from './param-reader.ts';
import { allOf } from './tag-predicate.ts';

/** Traces of a search without limit. */
const DEFAULT_LIMIT = 100;
/** The most that a search may ask for; the store's own bound. */
const MAX_LIMIT = 10_000;
/** More spans than any store holds. */
const MAX_COUNT = 1e12;

/** The parameter that takes TraceQL, with the name that Tempo's API has for it. */
const TRACEQL_PARAM = 'q';

/** What {@link readTraceQuery} reads, beyond what Jaeger has. */
export const TRACE_PARAMS: readonly string[] = [
  TRACEQL_PARAM,
  'order',
  'page',
  'minTraceDuration',
  'maxTraceDuration',
  'minSpans',
  'maxSpans',
  'minErrors',
  'maxErrors',
  'rootService',
  'rootOperation',
];

/** The window and the conditions on spans of a search. */
interface SpanSearch {
  readonly where: readonly SpanPredicate[];
  /** Unix epoch ns, `[min, max)`. */
  readonly startMinUnixNano: bigint;
  readonly startMaxUnixNano: bigint;
}

/**
 * Reads the token of a page. Where the search names no end itself, its window ends with the token's.
 * @throws {SpoorError} invalid_argument
 */
export function readPage(reader: ParamReader): PageToken | undefined {
  const text = reader.text('page');
  return text === undefined ? undefined : parsePageToken(text);
}

/**
 * The query of a search: its conditions on spans, those in TraceQL, and what the parameters say of whole traces, order,
 * page and limit. Aggregates in TraceQL are of the spans that its filter selects, whatever other conditions there are.
 * @param limitName what the API calls the limit
 * @throws {SpoorError} invalid_argument
 */
export function readTraceQuery(
  reader: ParamReader,
  { where, startMinUnixNano, startMaxUnixNano }: SpanSearch,
  limitName: string,
): TraceQuery {
  const text = reader.text(TRACEQL_PARAM);
  const traceql = text === undefined ? undefined : compileTraceql(text);
  const having = [...readTracePredicates(reader), ...(traceql?.having ?? [])];
  const order = readOrder(reader);
  const query: TraceQuery = {
    where: allOf(traceql === undefined ? where : [...where, traceql.where]),
    ...(having.length === 0 ? {} : { having: { op: 'and', args: having } }),
    startMinUnixNano,
    startMaxUnixNano,
    ...(order === undefined ? {} : { order }),
    limit: reader.whole(limitName, 1, MAX_LIMIT) ?? DEFAULT_LIMIT,
  };
  const page = readPage(reader);
  return page === undefined ? query : resumeQuery(query, page);
}

/**
 * Refuses a range whose end comes before its start.
 * @throws {SpoorError} invalid_argument
 */
export function checkRange<Value extends bigint | number>(
  reader: ParamReader,
  [minName, min]: readonly [string, Value | undefined],
  [maxName, max]: readonly [string, Value | undefined],
): void {
  if (min === undefined || max === undefined || max >= min) return;
  throw new SpoorError(
    'invalid_argument',
    `'${reader.nameOf(maxName)}' should be greater than '${reader.nameOf(minName)}'`,
  );
}

function readTracePredicates(reader: ParamReader): TracePredicate[] {
  const predicates: TracePredicate[] = [];
  const range = (
    name: 'duration' | 'span_count' | 'error_count',
    [minName, min]: readonly [string, bigint | undefined],
    [maxName, max]: readonly [string, bigint | undefined],
  ): void => {
    checkRange(reader, [minName, min], [maxName, max]);
    const field: TraceField = { kind: 'trace', name };
    if (min !== undefined) predicates.push({ op: 'ge', field, value: { type: 'int', value: min } });
    if (max !== undefined) predicates.push({ op: 'le', field, value: { type: 'int', value: max } });
  };
  const duration = (name: string) => [name, reader.duration(name)] as const;
  const count = (name: string) => {
    const value = reader.whole(name, 0, MAX_COUNT);
    return [name, value === undefined ? undefined : BigInt(value)] as const;
  };
  range('duration', duration('minTraceDuration'), duration('maxTraceDuration'));
  range('span_count', count('minSpans'), count('maxSpans'));
  range('error_count', count('minErrors'), count('maxErrors'));
  const rootService = reader.text('rootService');
  const rootOperation = reader.text('rootOperation');
  if (rootService !== undefined) predicates.push(rootServiceIs(rootService));
  if (rootOperation !== undefined) predicates.push(rootText('eq', 'root_name', rootOperation));
  return predicates;
}

/** The root is of this service, as answers name it. */
function rootServiceIs(service: string): TracePredicate {
  const args = storedServices(service).map((stored): TracePredicate => {
    const same = rootText('eq', 'root_service', stored);
    // A trace without a root has no name of one either.
    return stored === '' ? { op: 'and', args: [same, rootText('ne', 'root_name', '')] } : same;
  });
  return args.length === 1 ? args[0]! : { op: 'or', args };
}

function rootText(
  op: 'eq' | 'ne',
  name: 'root_service' | 'root_name',
  value: string,
): TracePredicate {
  return { op, field: { kind: 'trace', name }, value: { type: 'string', value } };
}

function readOrder(reader: ParamReader): TraceOrder | undefined {
  const text = reader.text('order');
  if (text === undefined) return undefined;
  const order = TRACE_ORDERS.find((one) => one === text);
  if (order === undefined) {
    throw reader.unreadable('order', text, `one of ${TRACE_ORDERS.join(', ')}`);
  }
  return order;
}
