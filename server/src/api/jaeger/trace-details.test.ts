// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { JsonStyle } from '#api/json-style.ts';
import { batchOf, TRACE_ID } from '#api/testing/api-fixture.ts';
import type { JaegerProcess, JaegerSpan } from './jaeger-span.ts';
import { ProcessTexts } from './process-texts.ts';
import { KeptTagKeys } from './tag-keys.ts';
import { traceDetails, type TraceDetails } from './trace-details.ts';
import { traceJson } from './trace-json.ts';

const INTERNAL = 1;
const SERVER = 2;
const CLIENT = 3;

/** A span by the last digit of its ids; `begin` and `end` in µs. */
interface TestSpan {
  readonly id: string;
  readonly parent?: string;
  readonly begin: number;
  readonly end: number;
  readonly service?: string;
  readonly kind?: number;
  /** Links into the trace. */
  readonly links?: readonly { readonly id: string; readonly isChildOf: boolean }[];
}

const fullId = (digit: string): string => digit && digit.padStart(16, '0');

/** @param at µs of 0 */
function traceOf(spans: readonly TestSpan[], at = 1_700_000_000_000_000n): SpanBatch {
  return batchOf(
    ...spans.map(({ id, parent = '', begin, end, service = 'shop', kind = INTERNAL, links = [] }) =>
      resourceSpans(service, {
        traceId: TRACE_ID,
        spanId: fullId(id),
        parentSpanId: fullId(parent),
        name: `span ${id}`,
        kind,
        startTimeUnixNano: String((at + BigInt(begin)) * 1000n),
        endTimeUnixNano: String((at + BigInt(end)) * 1000n),
        links: links.map((link) => ({
          traceId: TRACE_ID,
          spanId: fullId(link.id),
          ...(link.isChildOf
            ? {
                attributes: [{ key: 'opentracing.ref_type', value: { stringValue: 'child_of' } }],
              }
            : {}),
        })),
      }),
    ),
  );
}

function resourceSpans(service: string, span: object): object {
  const value = { stringValue: service };
  return {
    resource: service === '' ? {} : { attributes: [{ key: 'service.name', value }] },
    scopeSpans: [{ spans: [span] }],
  };
}

function detailsOf(batch: SpanBatch): TraceDetails {
  const steps = traceDetails(batch);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    assert.equal(step.value, '');
  }
}

/** Self times in µs. */
function selfMicros(...spans: TestSpan[]): object {
  return Object.fromEntries(
    [...detailsOf(traceOf(spans)).selfTimeNanos].map(([name, nanos]) => [
      name,
      Number(nanos) / 1000,
    ]),
  );
}

test('the self time of a service is that of its spans in which none of their children runs', () => {
  assert.deepEqual(
    selfMicros(
      { id: '1', begin: 0, end: 100 },
      { id: '2', parent: '1', begin: 10, end: 40, service: 'bank' },
      { id: '3', parent: '2', begin: 20, end: 25, service: 'bank' },
      // Two that overlap, and one that begins before its parent and ends behind it.
      { id: '4', parent: '1', begin: 60, end: 80, service: 'stock' },
      { id: '5', parent: '1', begin: 70, end: 90, service: 'stock' },
      { id: '6', parent: '5', begin: 65, end: 200, service: 'late' },
    ),
    { shop: 100 - 30 - 30, bank: 30, stock: 20, late: 135 },
  );
});

test('a service whose spans leave nothing to themselves has the self time 0', () => {
  assert.deepEqual(
    selfMicros(
      { id: '1', begin: 0, end: 10, service: 'gate' },
      { id: '2', parent: '1', begin: 0, end: 10 },
      { id: '3', begin: 5, end: 5, service: 'tick' },
    ),
    { gate: 0, shop: 10, tick: 0 },
  );
});

test('a span that ends before it starts takes no time', () => {
  assert.deepEqual(
    selfMicros(
      { id: '1', begin: 0, end: 10 },
      { id: '2', parent: '1', begin: 8, end: 2, service: 'bank' },
      { id: '3', parent: '2', begin: 3, end: 4, service: 'stock' },
    ),
    { shop: 10, bank: 0, stock: 1 },
  );
});

test('spans of a missing parent and of a loop stand for themselves, behind a root', () => {
  const orphan = { id: '2', parent: '9', begin: 1, end: 5, service: 'bank' };
  const loop = [
    { id: '3', parent: '4', begin: 4, end: 14 },
    { id: '4', parent: '3', begin: 2, end: 12, service: 'loop' },
  ];
  assert.deepEqual(selfMicros(orphan, ...loop), { bank: 4, shop: 10, loop: 2 });
  const first = (...spans: TestSpan[]): string => {
    const { firstServiceName, firstSpanName } = detailsOf(traceOf(spans));
    return `${firstServiceName}: ${firstSpanName}`;
  };
  assert.equal(first(...loop, orphan), 'bank: span 2');
  assert.equal(first(...loop), 'loop: span 4');
  assert.equal(first(orphan, { id: '1', begin: 9, end: 10 }), 'shop: span 1');
});

test('a server that shares the id of a client is below it, with what names that id', () => {
  assert.deepEqual(
    selfMicros(
      { id: '1', begin: 0, end: 100 },
      { id: '2', parent: '1', begin: 10, end: 90, kind: CLIENT },
      { id: '2', parent: '1', begin: 20, end: 80, kind: SERVER, service: 'bank' },
      { id: '3', parent: '2', begin: 30, end: 50, service: 'stock' },
    ),
    { shop: 20 + 20, bank: 40, stock: 20 },
  );
});

test('a link into the trace is the parent of a span that names none, or that says it is none of its own', () => {
  const root = { id: '1', begin: 0, end: 10 };
  const link = { id: '1', isChildOf: false };
  const bank = { id: '2', begin: 2, end: 5, service: 'bank' };
  const both = { shop: 7, bank: 3 };
  assert.deepEqual(selfMicros(root, bank), { shop: 10, bank: 3 });
  assert.deepEqual(selfMicros(root, { ...bank, links: [link] }), both);
  const other = { id: '3', begin: 0, end: 1, service: 'other' };
  const links = [
    { id: '3', isChildOf: false },
    { id: '1', isChildOf: true },
  ];
  assert.deepEqual(selfMicros(root, other, { ...bank, parent: '3', links }), { ...both, other: 1 });
});

test('services are told apart by the names that they are shown with', () => {
  const spans = [
    { id: '1', begin: 0, end: 10, service: '' },
    { id: '2', parent: '1', begin: 0, end: 4, service: 'missing-service-name' },
    { id: '3', parent: '1', begin: 4, end: 6 },
  ];
  assert.deepEqual(selfMicros(...spans), { 'missing-service-name': 8, shop: 2 });
  const { firstServiceName } = detailsOf(traceOf(spans));
  assert.equal(firstServiceName, 'missing-service-name');
});

test('times are exact to the nanosecond', () => {
  const selfNanos = (...times: [begin: bigint, end: bigint][]): bigint | undefined => {
    const spans = times.map(([begin, end], i) =>
      resourceSpans('shop', {
        traceId: TRACE_ID,
        spanId: fullId(String(i + 1)),
        parentSpanId: i === 0 ? '' : fullId('1'),
        startTimeUnixNano: String(begin),
        endTimeUnixNano: String(end),
      }),
    );
    return detailsOf(batchOf(...spans)).selfTimeNanos.get('shop');
  };
  const now = 1_700_000_000_123_456_789n;
  const days100 = 100n * 86_400_000_000_000n;
  assert.equal(selfNanos([now, now + 1n]), 1n);
  assert.equal(selfNanos([now, now + days100 + 1n], [now + 3n, now + 3n]), days100 + 1n);
  assert.equal(selfNanos([now, now + days100], [now + 7n, now + 8n]), days100);
  const last = 2n ** 64n - 1n;
  assert.equal(selfNanos([last - 9n, last], [last - 1n, last]), 9n);
  assert.equal(selfNanos([last, last - 9n]), 0n);
  // One that begins in 1970, and one far behind it.
  assert.equal(selfNanos([0n, 5n], [now, now + 7n]), 12n);
});

test('a long trace is gone through with pauses', () => {
  const spans = Array.from({ length: 5000 }, (_, i) => ({
    traceId: TRACE_ID,
    spanId: (i + 1).toString(16).padStart(16, '0'),
    ...(i === 0 ? {} : { parentSpanId: i.toString(16).padStart(16, '0') }),
    startTimeUnixNano: '1',
    endTimeUnixNano: String(10_000 - i),
  }));
  const batch = batchOf({ scopeSpans: [{ spans }] });
  // Four for ids that are there twice, four for parents, and one after the tree.
  assert.ok([...traceDetails(batch)].length >= 9);
  const { selfTimeNanos } = detailsOf(batch);
  assert.deepEqual([...selfTimeNanos], [['missing-service-name', 9999n]]);
});

/** A span of {@link oracle}. */
interface DrawnSpan {
  readonly service: string;
  readonly name: string;
  readonly begin: number;
  readonly end: number;
  /** Whether it names a parent. */
  readonly isNoRoot: boolean;
  parent: DrawnSpan | undefined;
}

/** Self times in µs and the first span, by what Jaeger's JSON of the trace has, µs by µs. */
function oracle(batch: SpanBatch): { self: Map<string, number>; first: string } {
  const pieces = traceJson(batch, {
    before: '',
    style: new JsonStyle(false),
    depth: 0,
    raw: false,
    warnings: [],
    processTexts: new ProcessTexts(),
    tagKeys: new KeptTagKeys(),
  });
  // As traceJson writes it.
  const json = JSON.parse([...pieces].join('')) as {
    spans: JaegerSpan[];
    processes: Record<string, JaegerProcess>;
  };
  const ids = json.spans.map(({ spanID }) => spanID);
  const parentIds = json.spans.map(
    ({ references }) =>
      (references.find(({ refType }) => refType === 'CHILD_OF') ?? references[0])?.spanID ?? '',
  );
  const drawn = json.spans.map((span, row): DrawnSpan => ({
    service: json.processes[span.processID]!.serviceName,
    name: span.operationName,
    begin: Number(span.startTime),
    end: Number(span.startTime) + Number(span.duration),
    isNoRoot: !/^0*$/.test(parentIds[row]!),
    parent: undefined,
  }));
  for (const [row, span] of drawn.entries()) {
    if (span.isNoRoot) span.parent = drawn[ids.indexOf(parentIds[row]!)];
  }
  const cut = drawn.filter((span) => {
    const loop = [span];
    let above = span.parent;
    for (; above !== undefined && !loop.includes(above); above = above.parent) loop.push(above);
    return above === span && loop.toSorted(byBegin(drawn))[0] === span;
  });
  for (const span of cut) span.parent = undefined;
  const self = new Map<string, number>();
  for (const span of drawn) {
    const children = drawn.filter(({ parent }) => parent === span);
    let alone = 0;
    for (let at = span.begin; at < span.end; at++) {
      if (!children.some(({ begin, end }) => begin <= at && at < end)) alone++;
    }
    self.set(span.service, (self.get(span.service) ?? 0) + alone);
  }
  const [first] = drawn
    .filter(({ parent }) => parent === undefined)
    .toSorted(
      (a, b) =>
        Number(a.isNoRoot) - Number(b.isNoRoot) ||
        a.begin - b.begin ||
        b.end - a.end ||
        drawn.indexOf(a) - drawn.indexOf(b),
    );
  return { self, first: `${first!.service}: ${first!.name}` };
}

/** By begin, then row. */
function byBegin(rows: readonly DrawnSpan[]): (a: DrawnSpan, b: DrawnSpan) => number {
  return (a, b) => a.begin - b.begin || rows.indexOf(a) - rows.indexOf(b);
}

test('details are those of the trace as it is drawn', () => {
  const digit = fc.constantFrom('1', '2', '3', '4', '5', '6');
  const span: fc.Arbitrary<TestSpan> = fc.record({
    id: digit,
    parent: fc.oneof(digit, fc.constantFrom('', '1', '9')),
    begin: fc.nat(12),
    end: fc.nat(20),
    service: fc.constantFrom('a', 'b', '', 'missing-service-name'),
    kind: fc.constantFrom(INTERNAL, SERVER, CLIENT),
    links: fc.oneof(
      fc.constant([]),
      fc.array(
        fc.record({ id: fc.oneof(digit, fc.constantFrom('', '9')), isChildOf: fc.boolean() }),
        { maxLength: 2 },
      ),
    ),
  });
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: 10 }), (spans) => {
      const batch = traceOf(spans);
      const { self, first } = oracle(batch);
      const details = detailsOf(batch);
      assert.deepEqual(
        new Map([...details.selfTimeNanos].map(([name, nanos]) => [name, Number(nanos) / 1000])),
        self,
      );
      assert.equal(`${details.firstServiceName}: ${details.firstSpanName}`, first);
    }),
    { numRuns: 500 },
  );
});
