// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeTraces } from './jaeger-json.ts';

const KEY_VALUE = { key: 'http.route', type: 'string', value: '/' };
const REFERENCE = { refType: 'CHILD_OF', traceID: 'ab', spanID: 'r' };

test('a trace is read as it is', () => {
  const span = {
    spanID: 'c',
    operationName: 'GET /',
    references: [REFERENCE],
    startTime: 1,
    duration: 2,
    tags: [KEY_VALUE],
    logs: [{ timestamp: 3, fields: [KEY_VALUE] }],
    processID: 'p1',
    warnings: ['late'],
  };
  const process = { serviceName: 'shop', tags: [KEY_VALUE] };
  const [trace] = decodeTraces(
    [{ traceID: 'ab', spans: [span], processes: { p1: process }, warnings: null }],
    'answer',
  );
  assert.deepEqual(trace, {
    traceID: 'ab',
    spans: [span],
    processes: new Map([['p1', process]]),
    warnings: [],
  });
});

test('what is missing, null or of another type is read as empty, and what is beside it stays', () => {
  const [trace] = decodeTraces(
    [
      {
        traceID: 'ab',
        spans: [
          null,
          { tags: null, logs: 'no', references: [REFERENCE, 7, { spanID: 'x' }] },
          { tags: [KEY_VALUE, null, { key: 'a' }], logs: [{ fields: [{ type: 'bool' }] }] },
        ],
      },
    ],
    'answer',
  );
  const [first, second] = trace!.spans;
  assert.equal(trace!.spans.length, 2);
  assert.deepEqual([first!.tags, first!.logs, first!.duration], [[], [], 0]);
  assert.deepEqual(first!.references, [REFERENCE, { refType: '', traceID: '', spanID: 'x' }]);
  assert.deepEqual(second!.tags, [KEY_VALUE, { key: 'a', type: '', value: undefined }]);
  assert.deepEqual(second!.logs, [
    { timestamp: 0, fields: [{ key: '', type: 'bool', value: undefined }] },
  ]);
});

test('an answer that is no list of traces is an error that says where', () => {
  assert.throws(
    () => decodeTraces([{ traceID: 5 }], '/api/traces'),
    /\/api\/traces is not a trace/,
  );
  assert.throws(() => decodeTraces('nope', '/api/traces'), /not a list of traces/);
  assert.deepEqual(decodeTraces(null, '/api/traces'), []);
});
