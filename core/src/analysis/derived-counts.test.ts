// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Span } from '#model/span.ts';
import { arbitrarySpan } from '#query/testing/arbitrary-span.ts';
import { attributes, resource, span, spanId, traceId } from '#query/testing/example-span.ts';
import { batchOf } from '#query/testing/span-body.ts';
import { EdgeCounts } from './edge-counts.ts';
import { EDGE_KIND_NAMES } from './edge-kind.ts';
import type { MinuteTable } from './minute-counts.ts';
import { NameCodes } from './name-codes.ts';
import { placedValues } from './placed-values.ts';
import { RedCounts } from './red-counts.ts';
import { SpanRows } from './span-rows.ts';
import { SpanSource } from './span-source.ts';
import { arbitraryCallSpan } from './testing/arbitrary-call-span.ts';
import { naiveCalls, naiveSpans } from './testing/naive-derived.ts';

/** One text for each time something was counted. */
function texts(table: MinuteTable, name: (key: number) => object): string[] {
  const list: string[] = [];
  for (let s = 0; s < table.key.length; s++) {
    const minute = table.minutes[table.minute[s]!]!;
    for (let i = table.start[s]!; i < table.start[s + 1]!; i++) {
      const one = text({ ...name(table.key[s]!), minute, bucket: table.bucket[i]! });
      for (let n = 0; n < table.count[i]!; n++) list.push(one);
    }
  }
  return list.sort();
}

function text(value: object): string {
  const entries = Object.entries(value).map(([name, one]) => `${name}=${String(one)}`);
  return entries.sort().join();
}

function countAll(spans: readonly Span[]): { calls: string[]; spans: string[] } {
  const names = new NameCodes();
  const edges = new EdgeCounts(names);
  const red = new RedCounts();
  const rows = new SpanRows();
  for (const trace of Map.groupBy(spans, (one) => one.traceId).values()) {
    const batch = batchOf(trace);
    const source = new SpanSource(batch, placedValues(batch), names);
    rows.clear();
    rows.add(
      source,
      Uint32Array.from({ length: batch.rows }, (_, row) => row),
    );
    edges.addTrace(rows, 0, rows.count);
    red.add(rows, 0, rows.count);
    // Taking a trace back leaves nothing of it.
    edges.addTrace(rows, 0, rows.count, -1);
    edges.addTrace(rows, 0, rows.count, 1);
  }
  return {
    calls: texts(edges.counts.table(), (key) => {
      const { caller, callee, kind, ...rest } = edges.keys[key]!;
      return {
        ...rest,
        kind: EDGE_KIND_NAMES[kind],
        caller: names.texts[caller],
        callee: names.texts[callee],
      };
    }),
    spans: texts(red.counts.table(), (key) => {
      const { service, operation, ...rest } = red.keys[key]!;
      return { ...rest, service: names.texts[service], operation: names.texts[operation] };
    }),
  };
}

function calls(spans: readonly Span[]): string[] {
  return naiveCalls(spans).map(
    ({ caller, callee, kind, isInferred }) => `${caller} ${isInferred ? '~' : ''}${kind} ${callee}`,
  );
}

test('calls and rates are those that the simplest way of counting finds, in any order of the spans', () => {
  const spans = fc.array(fc.oneof(arbitraryCallSpan, arbitrarySpan), { maxLength: 16 });
  fc.assert(
    fc.property(spans, fc.integer(), (list, seed) => {
      const distinct = [...new Map(list.map((one) => [fc.stringify(one), one])).values()];
      const expected = {
        calls: naiveCalls(distinct).map(text).sort(),
        spans: naiveSpans(distinct).map(text).sort(),
      };
      assert.deepEqual(countAll(distinct), expected);
      const mixed = distinct.toSorted((a, b) => order(a, seed) - order(b, seed));
      assert.deepEqual(countAll(mixed), expected);
    }),
    { numRuns: 100 },
  );
});

test('calls are so, too, in traces of dozens of spans with few ids', () => {
  const few = fc.array(arbitraryCallSpan, { maxLength: 4 });
  const many = fc.array(arbitraryCallSpan, { minLength: 60, maxLength: 100 });
  fc.assert(
    fc.property(many, few, (list, others) => {
      const distinct = [
        ...new Map([...list, ...others].map((one) => [fc.stringify(one), one])).values(),
      ];
      assert.deepEqual(countAll(distinct).calls, naiveCalls(distinct).map(text).sort());
    }),
    { numRuns: 30 },
  );
});

function order(span: Span, seed: number): number {
  let hash = seed;
  for (const char of fc.stringify(span)) hash = Math.imul(hash ^ char.charCodeAt(0), 0x9e3779b1);
  return hash;
}

const root = { resource: resource('shop'), spanId: spanId(1), traceId: traceId(1) };

test('only the first span of what a service does is a call, and spans without service are looked through', () => {
  const spans = [
    span({ ...root }),
    span({ spanId: spanId(2), parentSpanId: spanId(1), resource: resource(''), kind: 1 }),
    span({ spanId: spanId(3), parentSpanId: spanId(2), resource: resource('cart') }),
    span({ spanId: spanId(4), parentSpanId: spanId(3), resource: resource('cart') }),
    span({ spanId: spanId(5), parentSpanId: spanId(9), resource: resource('lost') }),
  ];
  assert.deepEqual(calls(spans), ['shop call cart']);
  assert.equal(countAll(spans).calls.length, 1);
});

test('a client span that nothing stands for names a database, a broker or an address', () => {
  const client = (id: number, values: Record<string, string>, more: Partial<Span> = {}): Span =>
    span({
      spanId: spanId(id),
      parentSpanId: spanId(1),
      kind: 3,
      attributes: attributes(values),
      ...more,
    });
  const spans = [
    span({ ...root }),
    client(2, { 'db.system': 'redis', 'server.address': '10.0.0.1' }),
    client(3, { 'peer.service': 'ledger', 'db.system.name': 'postgresql' }),
    client(4, { 'messaging.system': 'kafka' }, { kind: 4 }),
    client(5, { 'server.address': 'api.example.com' }),
    // Its callee has sent a span.
    client(6, { 'server.address': 'cart.local' }),
    span({ spanId: spanId(7), parentSpanId: spanId(6), resource: resource('cart') }),
    client(8, {}),
    client(9, { 'db.system': 'redis' }, { kind: 1 }),
  ];
  assert.deepEqual(calls(spans).sort(), [
    'shop call cart',
    'shop ~call api.example.com',
    'shop ~database ledger',
    'shop ~database redis',
    'shop ~messaging kafka',
  ]);
  assert.equal(countAll(spans).calls.length, 5);
});
