// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createCorpus, type CorpusOptions, type CorpusProfile } from './corpus.ts';
import type { CorpusTruth, TraceTruth } from './corpus-truth.ts';
import { decodeCorpus, type DecodedSpan } from './testing/decoded-corpus.ts';

const NOW = 1_795_000_000_000_000_000n;
const PROFILES: readonly CorpusProfile[] = ['shop', 'hostile'];

function options(profile: CorpusProfile, more: Partial<CorpusOptions> = {}): CorpusOptions {
  return { profile, spans: 4000, seed: 11, nowUnixNano: NOW, ...more };
}

function digest(corpusOptions: CorpusOptions): string {
  const hash = createHash('sha256');
  for (const { body, tenant } of createCorpus(corpusOptions)) hash.update(tenant).update(body);
  return hash.digest('hex');
}

function decoded(corpusOptions: CorpusOptions): { spans: DecodedSpan[]; truth: CorpusTruth } {
  const corpus = createCorpus(corpusOptions);
  const spans = decodeCorpus(corpus);
  return { spans, truth: corpus.truth };
}

for (const profile of PROFILES) {
  test(`${profile}: the same seed gives the same bytes, another seed others`, () => {
    const first = digest(options(profile));
    assert.equal(digest(options(profile)), first);
    assert.notEqual(digest(options(profile, { seed: 12 })), first);
  });

  test(`${profile}: the number of distinct spans is exact`, () => {
    for (const spans of [1, 17, 999]) {
      const { spans: found, truth } = decoded(options(profile, { spans }));
      assert.equal(new Set(found.map((span) => span.identity)).size, spans);
      assert.equal(truth.spans, spans);
      assert.equal(truth.sentSpans, found.length);
    }
  });

  test(`${profile}: the truth is what the official protobuf library finds`, () => {
    const { spans, truth } = decoded(options(profile));
    const byTrace = new Map<string, DecodedSpan[]>();
    const operations = new Map<string, number>();
    const seen = new Set<string>();
    for (const entry of spans) {
      if (seen.has(entry.identity)) continue;
      seen.add(entry.identity);
      const key = `${entry.tenant} ${Buffer.from(entry.span.traceId, 'base64').toString('hex')}`;
      byTrace.set(key, [...(byTrace.get(key) ?? []), entry]);
      const operation = JSON.stringify([
        entry.tenant,
        entry.serviceName,
        entry.span.name ?? '',
        kindOf(entry),
      ]);
      operations.set(operation, (operations.get(operation) ?? 0) + 1);
    }
    assert.equal(truth.traces.length, byTrace.size);
    for (const trace of truth.traces) {
      checkTrace(trace, byTrace.get(`${trace.tenant} ${trace.traceId}`) ?? []);
    }
    assert.equal(truth.operations.length, operations.size);
    for (const { tenant, serviceName, spanName, kind, spanCount } of truth.operations) {
      assert.equal(
        operations.get(JSON.stringify([tenant, serviceName, spanName, kind])),
        spanCount,
      );
    }
  });

  test(`${profile}: a request has the spans that it says`, () => {
    for (const request of createCorpus(options(profile, { requestSpans: 10 }))) {
      assert.ok(request.spans >= 1 && request.spans <= 10);
      assert.equal(decodeCorpus([request]).length, request.spans);
    }
  });
}

const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];

function kindOf({ span }: DecodedSpan): number {
  const { kind = 0 } = span;
  return typeof kind === 'number' ? kind : KINDS.indexOf(kind.replace('SPAN_KIND_', ''));
}

function checkTrace(truth: TraceTruth, spans: readonly DecodedSpan[]): void {
  assert.equal(spans.length, truth.spanCount);
  const starts = spans.map(({ span }) => BigInt(span.startTimeUnixNano ?? 0));
  const ends = spans.map(({ span }) => BigInt(span.endTimeUnixNano ?? 0));
  assert.equal(
    starts.reduce((a, b) => (a < b ? a : b)),
    truth.startTimeUnixNano,
  );
  assert.equal(
    ends.reduce((a, b) => (a > b ? a : b)),
    truth.endTimeUnixNano,
  );
  const failed = spans.filter(({ span }) => span.status?.code === 'STATUS_CODE_ERROR');
  assert.equal(failed.length, truth.errorCount);
  const services = new Set(
    spans.map(({ serviceName }) => serviceName).filter((name) => name !== ''),
  );
  assert.deepEqual([...services].toSorted(), truth.serviceNames);
  const roots = spans
    .filter(({ span }) => span.parentSpanId === undefined || span.parentSpanId === 'AAAAAAAAAAA=')
    .toSorted((a, b) =>
      BigInt(a.span.startTimeUnixNano!) < BigInt(b.span.startTimeUnixNano!) ? -1 : 1,
    );
  assert.equal(roots[0]?.serviceName ?? '', truth.rootServiceName);
  assert.equal(roots[0]?.span.name ?? '', truth.rootSpanName);
  const texts = JSON.stringify(spans.map(({ span }) => span.attributes));
  if (truth.userId !== '') assert.ok(texts.includes(truth.userId));
  assert.equal(texts.includes('"key":"order.id"'), truth.orderId !== '');
}

test('shop: traffic has the proportions of a usual day', () => {
  const { spans, truth } = decoded(options('shop', { spans: 10_000 }));
  const share = (count: number): number => count / spans.length;
  const between = (what: string, value: number, low: number, high: number): void =>
    assert.ok(value >= low && value <= high, `${what}: ${value} is not in ${low} to ${high}`);
  const kinds = KINDS.map((_, kind) => share(spans.filter((span) => kindOf(span) === kind).length));
  between('CLIENT', kinds[3]!, 0.4, 0.5);
  between('SERVER', kinds[2]!, 0.28, 0.38);
  between('INTERNAL', kinds[1]!, 0.17, 0.26);
  between('PRODUCER and CONSUMER', kinds[4]! + kinds[5]!, 0.003, 0.015);
  const total = (count: (span: DecodedSpan) => number): number =>
    spans.reduce((sum, span) => sum + count(span), 0);
  between('attributes', share(total(({ span }) => span.attributes!.length)), 9, 11);
  between('events', share(total(({ span }) => span.events?.length ?? 0)), 0.19, 0.27);
  between('links', share(total(({ span }) => span.links?.length ?? 0)), 0.015, 0.025);
  between('errors', share(truth.errors), 0.025, 0.035);
  const sizes = truth.traces.map(({ spanCount }) => spanCount).toSorted((a, b) => a - b);
  between('spans a trace', truth.spans / sizes.length, 16.5, 19.5);
  between('median spans a trace', sizes[sizes.length >> 1]!, 13, 17);
  assert.ok(sizes.at(-1)! <= 60);
  assert.ok(new Set(spans.map(({ span }) => span.name)).size >= 60);
  assert.equal(new Set(spans.map(({ serviceName }) => serviceName)).size, 16);
  // Some of the 38 have little to do.
  assert.ok(new Set(spans.map(({ resource }) => JSON.stringify(resource))).size >= 34);
  assert.ok(spans.every(({ resource }) => resource.length === 8));
  const stacks = spans.flatMap(({ span }) =>
    (span.events ?? []).flatMap((event) =>
      (event.attributes ?? []).filter(({ key }) => key === 'exception.stacktrace'),
    ),
  );
  assert.equal(stacks.length, truth.errors);
});

test('shop: large corpora have 420 to 460 bytes a span', () => {
  const corpus = createCorpus(options('shop', { spans: 100_000, windowMs: 120_000 }));
  for (const { body } of corpus) assert.ok(body.length > 0);
  const { bytes, spans } = corpus.truth;
  assert.ok(bytes / spans > 420 && bytes / spans < 460, `${bytes / spans}`);
});

test('shop: a trace is spread over requests, and children come before their parents', () => {
  const { spans, truth } = decoded(options('shop', { spans: 8000, windowMs: 30_000 }));
  const requests = new Map<string, Set<number>>();
  const place = new Map<string, number>();
  for (const [index, { span, request }] of spans.entries()) {
    requests.set(span.traceId, (requests.get(span.traceId) ?? new Set()).add(request));
    place.set(span.spanId, index);
  }
  const split = [...requests.values()].filter((set) => set.size > 1).length;
  assert.ok(split > truth.traces.length / 2, `${split} of ${truth.traces.length}`);
  let early = 0;
  for (const [index, { span }] of spans.entries()) {
    const parent = place.get(span.parentSpanId ?? '');
    if (parent !== undefined && parent > index) early++;
  }
  assert.ok(early > spans.length / 8, `${early} of ${spans.length}`);
});

test('shop: traces start inside the window', () => {
  const { truth } = decoded(options('shop', { windowMs: 60_000 }));
  for (const { startTimeUnixNano, endTimeUnixNano } of truth.traces) {
    assert.ok(startTimeUnixNano >= NOW - 60_000_000_000n && endTimeUnixNano > startTimeUnixNano);
    assert.ok(startTimeUnixNano <= NOW - 4_900_000_000n);
  }
});

test('hostile: everything unpleasant is there', () => {
  const { spans, truth } = decoded(options('hostile', { spans: 12_000 }));
  const has = (what: string, predicate: (entry: DecodedSpan) => boolean, atLeast = 1): void => {
    const count = spans.filter(predicate).length;
    assert.ok(count >= atLeast, `${what}: ${count} spans`);
  };
  const text = new Map(spans.map((entry) => [entry, JSON.stringify(entry.span)]));
  assert.ok(new Set(spans.map(({ tenant }) => tenant)).size >= 4);
  const keys = new Set(spans.flatMap(({ span }) => (span.attributes ?? []).map(({ key }) => key)));
  assert.ok(keys.size >= 1700, `${keys.size} keys`);
  has('10 kB values', (entry) => text.get(entry)!.length > 10_000, 40);
  has('arrays', (entry) => text.get(entry)!.includes('arrayValue'), 400);
  has('lists in lists', (entry) => /kvlistValue.*kvlistValue/.test(text.get(entry)!), 40);
  has('NaN', (entry) => text.get(entry)!.includes('"doubleValue":"NaN"'));
  has(
    'a key without value',
    ({ span }) => span.attributes?.some(({ value }) => value === undefined) === true,
    40,
  );
  has(
    'a key twice',
    ({ span }) =>
      new Set(span.attributes?.map(({ key }) => key)).size < (span.attributes?.length ?? 0),
    200,
  );
  has('no service name', ({ serviceName }) => serviceName === '', 200);
  has('no resource', ({ resource }) => resource.length === 0, 40);
  has('unknown kinds', ({ span }) => typeof span.kind === 'number', 4);
  has('1970', ({ span }) => BigInt(span.startTimeUnixNano!) < 10n ** 12n);
  has('2262', ({ span }) => BigInt(span.startTimeUnixNano!) > 9_222_000_000_000_000_000n);
  has(
    'end before start',
    ({ span }) => BigInt(span.endTimeUnixNano!) < BigInt(span.startTimeUnixNano!),
  );
  has(
    'late',
    ({ span, request }) => {
      const ageNanos = NOW - BigInt(span.startTimeUnixNano!);
      return (
        request > truth.requests * 0.9 &&
        ageNanos > 590_000_000_000n &&
        ageNanos < 1_000_000_000_000n
      );
    },
    50,
  );
  const kindsById = new Map<string, Set<number>>();
  for (const entry of spans) {
    const id = `${entry.tenant} ${entry.span.traceId} ${entry.span.spanId}`;
    kindsById.set(id, (kindsById.get(id) ?? new Set()).add(kindOf(entry)));
  }
  assert.ok([...kindsById.values()].filter((kinds) => kinds.size > 1).length > 400);
  assert.ok(Math.max(...truth.traces.map(({ spanCount }) => spanCount)) === 600);
  const tenantsById = new Map<string, number>();
  for (const { traceId } of truth.traces)
    tenantsById.set(traceId, (tenantsById.get(traceId) ?? 0) + 1);
  assert.ok([...tenantsById.values()].some((tenants) => tenants > 1));
});

test('hostile: one in twenty requests comes again, byte for byte', () => {
  const bodies = new Map<string, number>();
  let requests = 0;
  let spans = 0;
  for (const { body, tenant, spans: count } of createCorpus(
    options('hostile', { spans: 30_000 }),
  )) {
    const key = `${tenant} ${createHash('sha256').update(body).digest('hex')}`;
    bodies.set(key, (bodies.get(key) ?? 0) + 1);
    requests++;
    spans += count;
  }
  const again = requests - bodies.size;
  assert.ok(again > requests * 0.035 && again < requests * 0.06, `${again} of ${requests}`);
  assert.ok(spans > 31_000 && spans < 34_000, `${spans} spans sent`);
});

test('a live corpus follows its clock and ends when it is told', () => {
  let now = NOW;
  let left = 300;
  const live = { clockUnixNano: () => (now += 10_000_000n), stopped: () => left-- === 0 };
  const corpus = createCorpus(options('shop', { spans: Number.POSITIVE_INFINITY, live }));
  const spans = decodeCorpus(corpus);
  assert.ok(spans.length > 300 * 5);
  assert.equal(corpus.truth.sentSpans, spans.length);
  assert.deepEqual(corpus.truth.traces, []);
  for (const { span } of spans) assert.ok(BigInt(span.startTimeUnixNano!) >= NOW);
});

test('options out of their range are refused', () => {
  const wrong: readonly Partial<CorpusOptions>[] = [
    { spans: 0 },
    { spans: 1.5 },
    { spans: Number.POSITIVE_INFINITY },
    { seed: Number.NaN },
    { windowMs: 0 },
    { requestSpans: 0 },
    { exportIntervalMs: -1 },
  ];
  for (const more of wrong) {
    assert.throws(() => createCorpus(options('shop', more)), { code: 'invalid_argument' });
  }
});

test('the truth cannot be read before the end', () => {
  const corpus = createCorpus(options('shop'));
  assert.throws(() => corpus.truth, { code: 'internal' });
});
