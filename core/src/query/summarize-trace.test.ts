// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Span } from '#model/span.ts';
import { arbitrarySpan } from './testing/arbitrary-span.ts';
import { resource, span, spanId, traceId } from './testing/example-span.ts';
import { batchOf } from './testing/span-body.ts';
import type { TracePart } from './join-trace.ts';
import { mergePartials, summarizeTrace, toSummary, TraceSummarizer } from './summarize-trace.ts';

function part(spans: readonly Span[]): TracePart {
  return { columns: batchOf(spans), rows: spans.map((_, row) => row) };
}

test('a summary counts spans, errors and services, and names the earliest root', () => {
  const error = { code: 2, message: '' };
  const spans = [
    span({ spanId: spanId(1), startTimeUnixNano: 100n, endTimeUnixNano: 900n, name: 'root' }),
    span({
      spanId: spanId(2),
      parentSpanId: spanId(1),
      startTimeUnixNano: 90n,
      endTimeUnixNano: 1000n,
      resource: resource('cart'),
      status: error,
    }),
    span({ spanId: spanId(3), startTimeUnixNano: 200n, endTimeUnixNano: 150n, name: 'second' }),
  ];
  const summary = new TraceSummarizer().summarize([part(spans), part(spans.slice(1))]);
  assert.deepEqual(summary, {
    traceId: traceId(1),
    startTimeUnixNano: 90n,
    endTimeUnixNano: 1000n,
    spanCount: 3,
    errorCount: 1,
    rootSpanId: spanId(1),
    rootServiceName: 'shop',
    rootSpanName: 'root',
    services: [
      { name: 'cart', spanCount: 1, errorCount: 1 },
      { name: 'shop', spanCount: 2, errorCount: 0 },
    ],
  });
});

test('a trace without a span that has no parent has no root', () => {
  const spans = [span({ parentSpanId: spanId(9) })];
  const summary = new TraceSummarizer().summarize([part(spans)]);
  assert.equal(summary.rootSpanId, '');
  assert.equal(summary.rootSpanName, '');
});

test('summaries of parts without common spans merge to the summary of the whole', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(arbitrarySpan, {
        minLength: 1,
        maxLength: 20,
        selector: (s) => fc.stringify(s),
      }),
      fc.array(fc.nat(2), { minLength: 20, maxLength: 20 }),
      (list, places) => {
        const spans = list.map((one) => ({ ...one, traceId: traceId(1) }));
        const unique = [...new Map(spans.map((one) => [fc.stringify(one), one])).values()];
        const summarizer = new TraceSummarizer();
        const parts = [0, 1, 2]
          .map((p) => unique.filter((_, i) => places[i] === p))
          .filter((some) => some.length > 0)
          .map((some) => summarizer.partial([part(some)]));
        const whole = batchOf([...unique, ...unique.slice(0, 3)]);
        assert.deepEqual(toSummary(mergePartials(parts)), summarizeTrace(whole));
      },
    ),
    { numRuns: 100 },
  );
});
