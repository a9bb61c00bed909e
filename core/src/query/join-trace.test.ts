// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Span } from '#model/span.ts';
import { SpanReader } from '#model/span-reader.ts';
import { OtlpProtoEncoder } from '#wire/otlp/encode.ts';
import { arbitrarySpan } from './testing/arbitrary-span.ts';
import { attributes, span, spanId, traceId } from './testing/example-span.ts';
import { batchOf } from './testing/span-body.ts';
import { joinTrace, type TracePart } from './join-trace.ts';

function part(...spans: Span[]): TracePart {
  return { columns: batchOf(spans), rows: spans.map((_, row) => row) };
}

function read(parts: readonly TracePart[]): Span[] {
  const batch = joinTrace(parts);
  const reader = new SpanReader(batch);
  return Array.from({ length: batch.rows }, (_, row) => reader.read(row));
}

test('a trace is ordered by start and then span id, whatever part its spans are in', () => {
  const a = span({ spanId: spanId('ff'), startTimeUnixNano: 5n });
  const b = span({ spanId: spanId(1), startTimeUnixNano: 7n });
  const c = span({ spanId: spanId(2), startTimeUnixNano: 7n });
  const late = span({ spanId: spanId(0x80), startTimeUnixNano: 2n ** 64n - 2000n });
  assert.deepEqual(read([part(late, c), part(b, a)]), [a, b, c, late]);
});

test('copies collapse, and spans with the same ids but other content are all kept', () => {
  const one = span({ attributes: attributes({ a: 1n }) });
  const other = span({ attributes: attributes({ a: 1 }) });
  const spans = read([part(one, other), part(one), part(other, one)]);
  assert.equal(spans.length, 2);
  assert.deepEqual(
    new Set(spans.map((s) => s.attributes[0]!.value.type)),
    new Set(['int', 'double']),
  );
});

test('however a trace is cut, mixed and repeated, it joins to the same bytes', () => {
  const ofOneTrace = arbitrarySpan.map((one) => ({ ...one, traceId: traceId(1) }));
  fc.assert(
    fc.property(
      fc.array(ofOneTrace, { minLength: 1, maxLength: 25 }),
      fc.array(fc.array(fc.nat(), { maxLength: 12 }), { maxLength: 4 }),
      (spans, picks) => {
        const whole = new OtlpProtoEncoder(joinTrace([part(...spans)])).encode();
        const reversed = part(...spans.toReversed());
        const some = picks.map((list) => part(...list.map((n) => spans[n % spans.length]!)));
        const mixed = new OtlpProtoEncoder(joinTrace([...some, reversed])).encode();
        assert.deepEqual(mixed, whole);
      },
    ),
    { numRuns: 60 },
  );
});

test('rows that are not in a part are left out', () => {
  const spans = [1, 2, 3].map((id) =>
    span({ spanId: spanId(id), attributes: attributes({ id: BigInt(id) }) }),
  );
  assert.deepEqual(read([{ columns: batchOf(spans), rows: [2, 0] }]), [spans[0], spans[2]]);
});
