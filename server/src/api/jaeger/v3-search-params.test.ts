// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTraceQuery } from './search-params.ts';
import { parseV3Search } from './v3-search-params.ts';

const WINDOW =
  'query.startTimeMin=2026-01-01T12:00:00Z&query.startTimeMax=2026-01-01T13:00:00.000001Z';

test('a search of api_v3 asks what the same search of v1 asks', () => {
  const v1 = parseTraceQuery(
    new URLSearchParams(
      'service=a&operation=GET&minDuration=1ms&maxDuration=2s&limit=7&tags={"error":"true","n":"5"}' +
        '&order=longest&minSpans=2&q={kind=server}&start=1767268800000000&end=1767272400000000',
    ),
    0,
  );
  const rest =
    'query.durationMin=1ms&query.durationMax=2s&query.order=longest' +
    '&query.attributes={"error":"true","n":"5"}&query.rawTraces=true&query.q={kind=server}';
  for (const names of [
    `query.serviceName=a&query.operationName=GET&query.searchDepth=7&query.minSpans=2&${WINDOW}`,
    'query.service_name=a&query.operation_name=GET&query.search_depth=7&query.min_spans=2' +
      '&query.start_time_min=2026-01-01T12:00:00Z&query.start_time_max=2026-01-01T13:00:00.000001Z',
    `query.service_name=a&query.operation_name=GET&query.num_traces=7&query.minSpans=2&${WINDOW}`,
  ]) {
    assert.deepEqual(parseV3Search(new URLSearchParams(`${names}&${rest}`)), v1);
  }
});

test('wrong parameters are told by the name that they came with', () => {
  for (const [search, message] of [
    ['', /^query.startTimeMin and query.startTimeMax are required$/],
    [
      `query.start_time_min=1&${WINDOW.split('&')[1]}`,
      /^unable to parse param 'query.start_time_min': "1"/,
    ],
    [`${WINDOW}&query.search_depth=0`, /^unable to parse param 'query.search_depth': "0"/],
    [`${WINDOW}&query.duration_min=5`, /^unable to parse param 'query.duration_min': "5"/],
    [
      `${WINDOW}&query.attributes=[]`,
      /^malformed 'query.attributes' parameter, expecting a JSON object/,
    ],
    [
      `${WINDOW}&query.trace_id=ab`,
      /^parameter 'query.trace_id' is not supported; .*\/api\/v3\/traces\/\{id\}/,
    ],
    [`${WINDOW}&traceID=ab`, /^parameter 'traceID' is not supported; /],
    [`${WINDOW}&query.filter={}`, /^parameter 'query.filter' is not supported$/],
    [
      `${WINDOW}&query.oder=longest`,
      /^unknown parameter "query.oder"; did you mean query.order\?$/,
    ],
    [
      WINDOW.replace('13:00', '11:00'),
      /^'query.startTimeMax' should be greater than 'query.startTimeMin'$/,
    ],
  ] as const) {
    assert.throws(() => parseV3Search(new URLSearchParams(search)), { message }, search);
  }
});
