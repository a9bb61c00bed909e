// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { TraceQuery } from '@spoor/core/query/trace-query.ts';
import { refuseMisspelled, type RouteParams } from './misspelled-params.ts';
import { ParamReader } from './param-reader.ts';
import { parseRfc3339 } from './rfc3339.ts';
import { durationPredicate, nameIs, serviceIs, tagPredicate } from './tag-predicate.ts';
import { parseTagsJson } from './tags-json.ts';
import { checkRange, readTraceQuery, TRACE_PARAMS } from './trace-params.ts';

const PARAMS: RouteParams = {
  names: [
    'serviceName',
    'operationName',
    'attributes',
    'startTimeMin',
    'startTimeMax',
    'durationMin',
    'durationMax',
    'searchDepth',
    'numTraces',
    ...TRACE_PARAMS,
  ],
  // Spans are as they were sent in any case.
  ignored: ['rawTraces'],
};

/** What those who know v1 may call a parameter that api_v3 has not. */
const TRACE_ID_NAMES = ['query.traceID', 'query.traceId', 'query.trace_id', 'traceID'];

/**
 * Compiles the parameters of `GET /api/v3/traces`: `query.serviceName` and so on, or `query.service_name`.
 * @throws {SpoorError} invalid_argument
 */
export function parseV3Search(params: URLSearchParams): TraceQuery {
  const reader = new ParamReader(params, v3Names);
  refuseMisspelled(params, PARAMS, v3Names);
  if (params.has('query.filter')) throw unsupported('query.filter');
  // As in v1 they would stand for everything else that is asked for, and without them too much is found.
  for (const name of TRACE_ID_NAMES) {
    if (params.has(name)) throw unsupported(name, '; ask for GET /api/v3/traces/{id}');
  }
  const startMinUnixNano = readTime(reader, 'startTimeMin');
  const startMaxUnixNano = readTime(reader, 'startTimeMax');
  if (startMinUnixNano === undefined || startMaxUnixNano === undefined) {
    throw new SpoorError(
      'invalid_argument',
      `${reader.nameOf('startTimeMin')} and ${reader.nameOf('startTimeMax')} are required`,
    );
  }
  checkRange(reader, ['startTimeMin', startMinUnixNano], ['startTimeMax', startMaxUnixNano]);
  // To Jaeger 0 is the same as no bound.
  const min = reader.duration('durationMin') || undefined;
  const max = reader.duration('durationMax') || undefined;
  checkRange(reader, ['durationMin', min], ['durationMax', max]);
  const service = reader.text('serviceName');
  const operation = reader.text('operationName');
  const attributes = reader.text('attributes') ?? '{}';
  const where = [
    ...(service === undefined ? [] : [serviceIs(service)]),
    ...(operation === undefined ? [] : [nameIs(operation)]),
    ...parseTagsJson(reader.nameOf('attributes'), attributes).map(([key, value]) =>
      tagPredicate(key, value),
    ),
    ...(min === undefined ? [] : [durationPredicate('ge', min)]),
    ...(max === undefined ? [] : [durationPredicate('le', max)]),
  ];
  // The older of the two names of the limit.
  const limitName = reader.text('searchDepth') === undefined ? 'numTraces' : 'searchDepth';
  return readTraceQuery(reader, { where, startMinUnixNano, startMaxUnixNano }, limitName);
}

function unsupported(name: string, instead = ''): SpoorError {
  return new SpoorError('invalid_argument', `parameter '${name}' is not supported${instead}`);
}

function v3Names(name: string): string[] {
  const snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return snake === name ? [`query.${name}`] : [`query.${name}`, `query.${snake}`];
}

function readTime(reader: ParamReader, name: string): bigint | undefined {
  const text = reader.text(name);
  if (text === undefined) return undefined;
  const nanos = parseRfc3339(text);
  if (nanos === undefined) {
    throw reader.unreadable(name, text, 'a time such as 2026-01-31T23:59:59.123456789Z');
  }
  return nanos;
}
