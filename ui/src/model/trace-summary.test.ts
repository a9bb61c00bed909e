// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summariseTraces } from './trace-summary.ts';

const CHILD_OF_ROOT = [{ refType: 'CHILD_OF', traceID: '00ab', spanID: 'r' }];

function span(spanID: string, startTime: number, duration: number, more: object): object {
  return { traceID: 'ab', spanID, operationName: `op ${spanID}`, startTime, duration, ...more };
}

const PROCESSES = {
  p1: { serviceName: 'frontend', tags: [] },
  p2: { serviceName: 'cart', tags: null },
};

test('a summary has the root, the whole duration, errors, and services by their own time', () => {
  const [summary] = summariseTraces(
    [
      {
        traceID: 'ab',
        processes: PROCESSES,
        spans: [
          span('c', 110, 80, {
            processID: 'p2',
            references: CHILD_OF_ROOT,
            tags: [{ key: 'error', type: 'bool', value: true }],
          }),
          span('r', 100, 100, { processID: 'p1', references: [] }),
        ],
      },
    ],
    'answer',
  );
  assert.deepEqual(summary, {
    traceId: 'ab',
    rootService: 'frontend',
    rootOperation: 'op r',
    rootMissing: false,
    startUs: 100,
    durationUs: 100,
    spanCount: 2,
    errorCount: 1,
    parts: [
      { service: 'cart', spanCount: 1, selfUs: 80 },
      { service: 'frontend', spanCount: 1, selfUs: 20 },
    ],
  });
});

test('a span without CHILD_OF in its trace is below what it follows from, as in Jaeger', () => {
  const follows = { refType: 'FOLLOWS_FROM', traceID: 'ab', spanID: 'r' };
  const other = { refType: 'CHILD_OF', traceID: 'cd', spanID: 'c' };
  const [summary] = summariseTraces(
    [
      {
        traceID: 'ab',
        processes: PROCESSES,
        spans: [
          span('c', 110, 80, { processID: 'p2', references: [other, follows] }),
          span('r', 120, 100, { processID: 'p1', references: [] }),
        ],
      },
    ],
    'answer',
  );
  assert.equal(summary?.rootOperation, 'op r');
});

test('traces stay in the order of the server, empty ones are left out, and unknown processes have a name', () => {
  const traces = [1, 3, 2].map((start) => ({
    traceID: `t${start}`,
    processes: {},
    spans: [span('x', start, 1, { references: CHILD_OF_ROOT })],
  }));
  const summaries = summariseTraces([...traces, { traceID: 'none', spans: [] }], 'answer');
  assert.deepEqual(
    summaries.map(({ traceId, rootService }) => `${traceId} ${rootService}`),
    ['t1 unknown', 't3 unknown', 't2 unknown'],
  );
});

test('an answer that is no list of traces is an error that says where', () => {
  assert.throws(
    () => summariseTraces([{ traceID: 5 }], '/api/traces'),
    /\/api\/traces is not a trace/,
  );
  assert.throws(() => summariseTraces('nope', '/api/traces'), /not a list of traces/);
});
