// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatTraceId } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { summarizeTrace } from '@spoor/core/query/summarize-trace.ts';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { shopSpans, withBlock } from '../testing/block-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import { durationAt, nanosAt, roughDurationAt } from '../block/trace-columns.ts';
import { TraceSummaries } from './trace-summaries.ts';

/** Compares the summaries of a block with those that are worked out span by span. */
function check(reader: BlockReader, spans: readonly Span[]): void {
  const summaries = new TraceSummaries(reader);
  const byTrace = Map.groupBy(spans, (one) => one.traceId);
  const all = summaries.all();
  assert.equal(all.traces, byTrace.size);
  for (let g = 0; g < reader.footer.groups.length; g++) {
    const { traceIds, traces, traceStarts } = reader.group(g);
    const columns = summaries.group(g);
    assert.equal(columns.traces, traces);
    for (let t = 0; t < traces; t++) {
      const trace = reader.firstTraces[g]! + t;
      assert.equal(reader.groupOf(trace), g);
      const id = traceIds.subarray(t * 16, t * 16 + 16);
      assert.equal(reader.findTraceNumber(id), trace);
      const own = byTrace.get(formatTraceId(id, 0))!;
      const summary = summarizeTrace(batchOf(own));
      const duration = summary.endTimeUnixNano - summary.startTimeUnixNano;
      assert.equal(nanosAt(columns.start, t), summary.startTimeUnixNano);
      assert.equal(durationAt(columns, t), duration);
      assert.equal(nanosAt(all.start, trace), summary.startTimeUnixNano);
      assert.equal(all.spans[trace], summary.spanCount);
      assert.ok(Math.abs(roughDurationAt(columns, t) - Number(duration)) <= 2048);
      assert.equal(columns.spans[t], summary.spanCount);
      assert.equal(columns.spans[t], traceStarts[t + 1]! - traceStarts[t]!);
      assert.equal(columns.errors[t], summary.errorCount);
      assert.equal(summaries.rootServiceName(trace), summary.rootServiceName);
      assert.equal(summaries.rootSpanName(trace), summary.rootSpanName);
      const longest = own
        .map((one) => BigInt.asIntN(64, one.endTimeUnixNano - one.startTimeUnixNano))
        .reduce((a, b) => (a > b ? a : b));
      assert.equal(BigInt.asIntN(64, nanosAt(columns.longest, t)), longest);
    }
  }
}

test('a block says of each trace what its spans say, as stored and as worked out for a block without it', () =>
  withDirectory((dir) => {
    const spans = fc.array(arbitrarySpan, { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(spans, (list) => {
        const copies = [batchOf(list), batchOf(list.slice(0, 3))];
        withBlock(dir, copies, (reader) => check(reader, list));
        withBlock(dir, copies, (reader) => {
          Object.assign(reader.footer, { version: 1, summaries: undefined });
          check(reader, list);
        });
      }),
      { numRuns: 60 },
    );
  }));

test('traces are numbered through all groups of a block', () =>
  withDirectory((dir) => {
    const spans = shopSpans(9000, 300);
    withBlock(dir, [batchOf(spans)], (reader) => {
      assert.ok(reader.footer.groups.length > 1);
      check(reader, spans);
    });
  }));

test('no trace of a block is beyond the bounds in its footer, and some are at them', () =>
  withDirectory((dir) => {
    fc.assert(
      fc.property(fc.array(arbitrarySpan, { minLength: 1, maxLength: 20 }), (list) =>
        withBlock(dir, [batchOf(list)], (reader) => {
          const { summaries } = reader.footer;
          const all = [...Map.groupBy(list, (one) => one.traceId).values()].map((own) =>
            summarizeTrace(batchOf(own)),
          );
          const durations = all.map((one) => one.endTimeUnixNano - one.startTimeUnixNano);
          durations.sort((a, b) => (a < b ? -1 : 1));
          const starts = all.map((one) => one.startTimeUnixNano).sort((a, b) => (a < b ? -1 : 1));
          assert.equal(summaries?.minDuration, String(durations[0]));
          assert.equal(summaries.maxDuration, String(durations.at(-1)));
          assert.equal(summaries.maxStart, String(starts.at(-1)));
          assert.equal(summaries.maxSpans, Math.max(...all.map((one) => one.spanCount)));
          assert.equal(summaries.maxErrors, Math.max(...all.map((one) => one.errorCount)));
        }),
      ),
      { numRuns: 60 },
    );
  }));
