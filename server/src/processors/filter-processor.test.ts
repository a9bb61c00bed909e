// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Attribute, AttributeValue } from '@spoor/core/model/attributes.ts';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { arbitrarySpan, KEYS, NAMES, SERVICES } from '@spoor/core/query/testing/arbitrary-span.ts';
import { attributes, resource, span, traceId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { filterProcessorSchema } from '#config/filter-processor-config.ts';
import {
  SPAN_KIND_NAMES,
  type SpanMatchConfig,
  STATUS_CODE_NAMES,
} from '#config/span-match-config.ts';
import type { ChangingProcessor } from './changing-processor.ts';
import { createFilterProcessor } from './filter-processor.ts';
import { countsOf, RecordingSink, spansOf } from './testing/recording-sink.ts';

const tenant = DEFAULT_TENANT;

function filter(given: unknown): { processor: ChangingProcessor; next: RecordingSink } {
  const next = new RecordingSink();
  const config = filterProcessorSchema.parse({ spans: given });
  return { processor: createFilterProcessor(config, { name: 'filter', next }), next };
}

test('spans are kept that are included and not excluded', async () => {
  const { processor, next } = filter({
    include: { match_type: 'strict', services: ['a', 'b'] },
    exclude: {
      match_type: 'regexp',
      span_names: ['^GET /health'],
      span_kinds: ['SPAN_KIND_SERVER'],
    },
  });
  const spans = [
    span({ name: 'GET /healthz', resource: resource('a') }),
    span({ name: 'GET /healthz', kind: 3, resource: resource('a') }),
    span({ name: 'GET /', resource: resource('b') }),
    span({ name: 'GET /', resource: resource('c') }),
  ];
  await processor.write(tenant, batchOf(spans));
  assert.deepEqual(next.spans, [spans[1], spans[2]]);
  assert.deepEqual(countsOf(processor), {
    otelcol_processor_incoming_items: 4,
    otelcol_processor_outgoing_items: 2,
    spoor_processor_refused_spans_total: 0,
    spoor_processor_dropped_spans_total: 2,
  });
});

test('all attributes and resources of a condition must be there', async () => {
  const { processor, next } = filter({
    exclude: {
      match_type: 'strict',
      attributes: [{ key: 'a', value: 1 }, { key: 'b' }],
      resources: [{ key: 'env', value: 'test' }],
    },
  });
  const both = attributes({ a: 1n, b: true });
  const spans = [
    span({ attributes: both, resource: resource('s', { env: 'test' }) }),
    span({ attributes: both, resource: resource('s', { env: 'live' }) }),
    span({ attributes: attributes({ a: 1n }), resource: resource('s', { env: 'test' }) }),
  ];
  await processor.write(tenant, batchOf(spans));
  assert.deepEqual(next.spans, spans.slice(1));
});

test('a batch of which all is kept goes on uncopied, and one of which nothing is ends here', async () => {
  const { processor, next } = filter({ exclude: { match_type: 'strict', span_names: ['no'] } });
  const batch = batchOf([span(), span()]);
  const requests = [{ digest: new Uint8Array(16), accepted: 2, rejected: 0, message: '' }];
  await processor.write(tenant, batch, requests);
  assert.equal(next.writes[0]!.batch, batch);
  assert.equal(next.writes[0]!.requests, requests);
  await processor.write(tenant, batchOf([span({ name: 'no' })]));
  assert.equal(next.writes.length, 1);
});

test('a refusal further on is the answer, and counted', async () => {
  const next = new RecordingSink({ waits: true });
  const config = filterProcessorSchema.parse({
    spans: { exclude: { match_type: 'strict', services: ['x'] } },
  });
  const processor = createFilterProcessor(config, { name: 'filter', next });
  const write = processor.write(tenant, batchOf([span()]));
  next.writes[0]!.reject(new SpoorError('overloaded', 'full'));
  await assert.rejects(write, { message: 'full' });
  assert.equal(countsOf(processor)['spoor_processor_refused_spans_total'], 1);
  assert.equal(countsOf(processor)['otelcol_processor_incoming_items'], 0);
});

test('what is dropped is told with what is kept', async () => {
  const told: [number, number][] = [];
  const config = filterProcessorSchema.parse({
    spans: { exclude: { match_type: 'strict', services: ['x'] } },
  });
  const processor = createFilterProcessor(config, {
    name: 'filter',
    next: new RecordingSink(),
    onDropped: (batch, kept) => told.push([batch.rows, kept?.rows ?? 0]),
  });
  await processor.write(tenant, batchOf([span(), span({ resource: resource('x') })]));
  await processor.write(tenant, batchOf([span({ resource: resource('x') })]));
  await processor.write(tenant, batchOf([span()]));
  assert.deepEqual(told, [
    [2, 1],
    [1, 0],
  ]);
});

test('what is known of resources does not grow with their number', async () => {
  const { processor, next } = filter({ include: { match_type: 'strict', services: ['x'] } });
  for (let i = 0; i < 50; i++) {
    const big = 'x'.repeat(1 << 18) + i;
    await processor.write(tenant, batchOf([span({ resource: resource('x', { big }) })]));
  }
  assert.equal(next.spans.length, 50);
});

test('patterns are checked at the start', () => {
  assert.throws(() => filter({ include: { match_type: 'regexp', services: ['('] } }), {
    code: 'config',
  });
});

const attribute = fc.record(
  {
    key: fc.constantFrom(...KEYS.filter((key) => key !== '')),
    value: fc.constantFrom('GET', '200', 200, 1.5, true),
  },
  { requiredKeys: ['key'] },
);
const list = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: 1, maxLength: 2 });
// Object.keys gives the keys of these tables.
const kinds = Object.keys(SPAN_KIND_NAMES) as (keyof typeof SPAN_KIND_NAMES)[];
const codes = Object.keys(STATUS_CODE_NAMES) as (keyof typeof STATUS_CODE_NAMES)[];

const match: fc.Arbitrary<SpanMatchConfig> = fc.record(
  {
    match_type: fc.constantFrom('strict' as const, 'regexp' as const),
    services: list(fc.constantFrom(...SERVICES, 'shop|cart', '')),
    span_names: list(fc.constantFrom(...NAMES, '^.$', 'r')),
    span_kinds: list(fc.constantFrom(...kinds)),
    status_codes: list(fc.constantFrom(...codes)),
    attributes: list(attribute),
    resources: list(attribute),
  },
  { requiredKeys: ['match_type'] },
);

/** Whether a span meets a section, as simply as it can be written. */
function meets(one: Span, config: SpanMatchConfig): boolean {
  const isText = (text: string, wanted: string): boolean =>
    config.match_type === 'strict' ? text === wanted : new RegExp(wanted, 'u').test(text);
  const has = (attribute: Attribute, value: string | number | boolean | undefined): boolean => {
    const one = (given: AttributeValue): boolean => {
      if (value === undefined) return true;
      if (typeof value === 'string') return given.type === 'string' && isText(given.value, value);
      if (typeof value === 'boolean') return given.type === 'bool' && given.value === value;
      return (given.type === 'int' || given.type === 'double') && Number(given.value) === value;
    };
    const { value: given } = attribute;
    if (value === undefined || given.type !== 'array') return one(given);
    return given.value.some(one);
  };
  const hasAll = (own: readonly Attribute[], wanted: SpanMatchConfig['attributes']): boolean =>
    (wanted ?? []).every(({ key, value }) =>
      own.some((other) => other.key === key && has(other, value)),
    );
  const { services, span_names: names, span_kinds: ofKinds, status_codes: ofCodes } = config;
  return (
    services?.some((name) => isText(one.resource.serviceName, name)) !== false &&
    names?.some((name) => isText(one.name, name)) !== false &&
    ofKinds?.some((kind) => SPAN_KIND_NAMES[kind] === one.kind) !== false &&
    ofCodes?.some((code) => STATUS_CODE_NAMES[code] === (one.status?.code ?? 0)) !== false &&
    hasAll(one.attributes, config.attributes) &&
    hasAll(one.resource.attributes, config.resources)
  );
}

test('any conditions keep of any spans those that the plainest code keeps', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(arbitrarySpan, { minLength: 1, maxLength: 8 }),
      fc.record({ include: match, exclude: match }, { requiredKeys: [] }),
      fc.constantFrom(1, 9),
      async (some, config, times) => {
        const spans = Array.from({ length: times }, () => some).flat();
        const batch = batchOf(spans);
        const bytes = batch.bytes.slice();
        const next = new RecordingSink();
        const parts = { name: 'filter', next };
        await createFilterProcessor({ spans: config }, parts).write(tenant, batch);
        const { include, exclude } = config;
        const kept = spansOf(batch).filter(
          (one) =>
            (include === undefined || meets(one, include)) &&
            (exclude === undefined || !meets(one, exclude)),
        );
        assert.deepEqual(next.spans, kept);
        assert.deepEqual(batch.bytes, bytes);
      },
    ),
    { numRuns: 150 },
  );
});

test('spans of other traces are told apart after rows were left out', async () => {
  const { processor, next } = filter({ include: { match_type: 'strict', span_names: ['a'] } });
  const spans = Array.from({ length: 100 }, (_, i) =>
    span({
      traceId: traceId(i + 1),
      name: i % 3 === 0 ? 'a' : 'b',
      attributes: attributes({ i: BigInt(i) }),
    }),
  );
  await processor.write(tenant, batchOf(spans));
  assert.deepEqual(
    next.spans,
    spans.filter(({ name }) => name === 'a'),
  );
});
