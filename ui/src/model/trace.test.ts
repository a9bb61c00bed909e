// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JaegerSpan, JaegerTrace, SpanReference } from '#api/jaeger-json.ts';
import { createTrace } from './trace.ts';

const SPAN: JaegerSpan = {
  spanID: 'r',
  operationName: 'op',
  references: [],
  startTime: 100,
  duration: 100,
  tags: [],
  logs: [],
  processID: 'p1',
  warnings: [],
};

function trace(spans: readonly Partial<JaegerSpan>[]): JaegerTrace {
  const processes = new Map([
    ['p1', { serviceName: 'frontend', tags: [] }],
    ['p2', { serviceName: 'cart', tags: [] }],
  ]);
  return {
    traceID: 'ab',
    spans: spans.map((span) => ({ ...SPAN, ...span })),
    processes,
    warnings: [],
  };
}

function reference(refType: string, traceID: string, spanID: string): SpanReference {
  return { refType, traceID, spanID };
}

test('times count from the earliest span, and a span has an error by its tag or its status', () => {
  const error = (key: string, value: unknown) => ({ tags: [{ key, type: 'string', value }] });
  const { startUs, totalUs, offsetUs, durationUs, isError, errorCount } = createTrace(
    trace([
      { spanID: 'late', startTime: 190, duration: 60, ...error('error', true) },
      { spanID: 'r', ...error('otel.status_code', 'ERROR') },
      { spanID: 'back', duration: -5, ...error('error', 'false') },
    ]),
  );
  assert.deepEqual([startUs, totalUs, errorCount], [100, 150, 2]);
  assert.deepEqual([...offsetUs], [90, 0, 0]);
  assert.deepEqual([...durationUs], [60, 100, 0]);
  assert.deepEqual([...isError], [1, 1, 0]);
});

test('a span without CHILD_OF in its trace is below what it follows from, as in Jaeger', () => {
  const { tree } = createTrace(
    trace([
      {
        spanID: 'c',
        // Written without leading zeros, and with them.
        references: [reference('CHILD_OF', 'cd', 'c'), reference('FOLLOWS_FROM', '00ab', 'r')],
      },
      { spanID: 'r', startTime: 120 },
    ]),
  );
  assert.deepEqual([...tree.parent], [1, -1]);
});

test('services come by first use in the tree, and spans of unknown processes have a name', () => {
  const child = (spanID: string, processID: string) => ({
    spanID,
    processID,
    references: [reference('CHILD_OF', 'ab', 'r')],
  });
  const { services, serviceOf } = createTrace(trace([child('a', 'p9'), child('b', 'p2'), {}]));
  assert.deepEqual(services, ['frontend', 'unknown', 'cart']);
  assert.deepEqual([...serviceOf], [1, 2, 0]);
});
