// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatTraceId } from '@spoor/core/model/ids.ts';
import { summarizeTrace } from '@spoor/core/query/summarize-trace.ts';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
import { span } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { HeadBatch, roughNanos } from './head-batch.ts';
import { durationAt, nanosAt } from '../block/trace-columns.ts';

test('a batch of the head knows its first and last start', () => {
  const starts = [5n, 2n ** 40n, 3n, 2n ** 63n];
  const { minStart, maxStart } = new HeadBatch(
    batchOf(starts.map((startTimeUnixNano) => span({ startTimeUnixNano }))),
  );
  assert.deepEqual([minStart, maxStart], [3, 2 ** 63]);
});

test('times as doubles keep their order, and equal times are equal', () => {
  const times = [0n, 1n, 2n ** 32n, 2n ** 53n + 1n, 1_763_800_000_123_456_789n, 2n ** 64n - 1n];
  for (const time of times) {
    const rough = roughNanos(Number(time >> 32n), Number(time & 0xffffffffn));
    assert.equal(rough, Number(time));
  }
});

test('the traces of a batch have all of its rows, and their start, duration and counts', () => {
  const spans = fc.uniqueArray(arbitrarySpan, {
    minLength: 1,
    maxLength: 20,
    selector: (one) => fc.stringify(one),
  });
  fc.assert(
    fc.property(spans, (list) => {
      const head = new HeadBatch(batchOf(list));
      const { count, columns, traceOf } = head.traces;
      const ids = Array.from({ length: count }, (_, trace) =>
        formatTraceId(head.batch.traceId, head.traces.firstRowOf(trace) * 16),
      );
      assert.equal(columns.traces, ids.length);
      assert.deepEqual(
        Array.from(traceOf, (trace) => ids[trace]),
        list.map(({ traceId }) => traceId),
      );
      ids.forEach((id, trace) => {
        const own = list.flatMap(({ traceId }, row) => (traceId === id ? [row] : []));
        assert.deepEqual([...head.traces.rowsOf(trace)], own);
        const summary = summarizeTrace(batchOf(own.map((row) => list[row]!)));
        assert.equal(nanosAt(columns.start, trace), summary.startTimeUnixNano);
        assert.equal(
          durationAt(columns, trace),
          summary.endTimeUnixNano - summary.startTimeUnixNano,
        );
        assert.equal(columns.spans[trace], summary.spanCount);
        assert.equal(columns.errors[trace], summary.errorCount);
      });
    }),
    { numRuns: 50 },
  );
});
