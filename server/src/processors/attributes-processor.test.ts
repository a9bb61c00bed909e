// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Attribute, AttributeValue } from '@spoor/core/model/attributes.ts';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { arbitrarySpan, KEYS, TEXTS } from '@spoor/core/query/testing/arbitrary-span.ts';
import {
  attributes,
  attributeValue,
  event,
  link,
  resource,
  span,
} from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import {
  ATTRIBUTE_PLACES,
  type AttributeActionConfig,
  type AttributesProcessorConfig,
  attributesProcessorSchema,
  resourceProcessorSchema,
} from '#config/attributes-processor-config.ts';
import { createAttributesProcessor, createResourceProcessor } from './attributes-processor.ts';
import { countsOf, RecordingSink, spansOf } from './testing/recording-sink.ts';

const [tenant, name] = [DEFAULT_TENANT, 'attributes'];

async function process(given: unknown, spans: readonly Span[]): Promise<Span[]> {
  const next = new RecordingSink();
  const config = attributesProcessorSchema.parse(given);
  await createAttributesProcessor(config, { name, next }).write(tenant, batchOf(spans));
  return next.spans;
}

async function act(actions: readonly object[], values: Parameters<typeof attributes>[0]) {
  const [changed] = await process({ actions }, [span({ attributes: attributes(values) })]);
  return changed!.attributes;
}

test('insert adds what is missing, update sets what is there, upsert does both', async () => {
  const set = (action: string, key: string) => ({ action, key, value: 'new' });
  const given = { a: 'old', b: 1n };
  assert.deepEqual(await act([set('insert', 'a')], given), attributes(given));
  assert.deepEqual(await act([set('insert', 'c')], given), attributes({ ...given, c: 'new' }));
  assert.deepEqual(await act([set('update', 'b')], given), attributes({ a: 'old', b: 'new' }));
  assert.deepEqual(await act([set('update', 'c')], given), attributes(given));
  assert.deepEqual(await act([set('upsert', 'a')], given), attributes({ a: 'new', b: 1n }));
  assert.deepEqual(await act([set('upsert', 'c')], given), attributes({ ...given, c: 'new' }));
});

test('values are of the type that they are written in, or come from another attribute', async () => {
  const actions = [
    { action: 'insert', key: 'int', value: -5 },
    { action: 'insert', key: 'double', value: 1.5 },
    { action: 'insert', key: 'bool', value: true },
    { action: 'insert', key: 'copy', from_attribute: 'list' },
    { action: 'insert', key: 'none', from_attribute: 'missing' },
  ];
  assert.deepEqual(
    await act(actions, { list: ['x', 2n] }),
    attributes({ list: ['x', 2n], int: -5n, double: 1.5, bool: true, copy: ['x', 2n] }),
  );
});

test('delete and hash take a key, or a pattern of keys', async () => {
  assert.deepEqual(
    await act([{ action: 'delete', key: 'a', pattern: '^http\\.' }], {
      a: 1n,
      'http.x': 2n,
      b: 3n,
    }),
    attributes({ b: 3n }),
  );
  const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  assert.deepEqual(
    await act([{ action: 'hash', pattern: 'user' }], { 'user.id': 'é', user: 258n, b: 'é' }),
    attributes({
      'user.id': sha256('é'),
      user: sha256(Uint8Array.of(2, 1, 0, 0, 0, 0, 0, 0)),
      b: 'é',
    }),
  );
});

test('redact hides what a pattern matches, in lists as well', async () => {
  const actions = [{ action: 'redact', pattern: '\\d{4}-\\d{4}' }];
  const given = {
    a: 'card 1234-5678, 1111-2222',
    b: ['1234-5678', 7n, { '1234-5678': '1234-5678' }],
  };
  assert.deepEqual(
    await act(actions, given),
    attributes({ a: 'card ****, ****', b: ['****', 7n, { '1234-5678': '****' }] }),
  );
  const one = [{ action: 'redact', key: 'a', pattern: '(?i)SECRET', value: '?' }];
  assert.deepEqual(
    await act(one, { a: 'my Secret', b: 'secret' }),
    attributes({ a: 'my ?', b: 'secret' }),
  );
});

test('actions come one after the other', async () => {
  const actions = [
    { action: 'upsert', key: 'b', from_attribute: 'a' },
    { action: 'redact', key: 'b', pattern: 'x+' },
    { action: 'hash', key: 'b' },
    { action: 'delete', key: 'a' },
  ];
  const hashed = createHash('sha256').update('****y').digest('hex');
  assert.deepEqual(await act(actions, { a: 'xxy' }), attributes({ b: hashed }));
});

test('the attributes of events, links and resources are changed where the configuration says so', async () => {
  const given = span({
    attributes: attributes({ a: 'x' }),
    events: [event('e', { a: 'x' }), event('f')],
    links: [link({ traceId: '1'.repeat(32), spanId: '2'.repeat(16) }, { a: 'x' })],
    resource: resource('shop', { a: 'x' }),
  });
  const actions = [{ action: 'delete', key: 'a' }];
  const [changed] = await process({ actions, apply_to: ['event', 'link', 'resource'] }, [given]);
  assert.deepEqual(changed, {
    ...given,
    events: [event('e'), event('f')],
    links: [link(given.links[0]!)],
    resource: resource('shop'),
  });
});

test('the resource processor is the same for resources alone', async () => {
  const given = span({
    attributes: attributes({ a: 'x' }),
    resource: resource('shop', { a: 'x' }),
  });
  const next = new RecordingSink();
  const config = resourceProcessorSchema.parse({
    attributes: [
      { action: 'delete', key: 'a' },
      { action: 'upsert', key: 'env', value: 'test' },
    ],
  });
  const processor = createResourceProcessor(config, { name: 'resource', next });
  await processor.write(tenant, batchOf([given]));
  assert.deepEqual(next.spans, [{ ...given, resource: resource('shop', { env: 'test' }) }]);
});

test('only included spans that are not excluded are changed', async () => {
  const spans = ['a', 'b', 'c'].map((service) =>
    span({ name: service, resource: resource(service) }),
  );
  const config = {
    actions: [{ action: 'insert', key: 'k', value: 'v' }],
    apply_to: ['span', 'resource'],
    include: { match_type: 'regexp', services: ['^[ab]$'] },
    exclude: { match_type: 'strict', span_names: ['b'] },
  };
  const changed = await process(config, spans);
  assert.deepEqual(changed, [
    { ...spans[0]!, attributes: attributes({ k: 'v' }), resource: resource('a', { k: 'v' }) },
    spans[1],
    spans[2],
  ]);
});

test('a batch in which nothing changes goes on as it is, uncopied', async () => {
  const batch = batchOf([span({ attributes: attributes({ a: 'x', n: 1n }) }), span()]);
  const same = async (actions: readonly object[], apply_to = ['span']) => {
    const next = new RecordingSink();
    const config = attributesProcessorSchema.parse({ actions, apply_to });
    await createAttributesProcessor(config, { name, next }).write(tenant, batch);
    return next.writes[0]?.batch === batch;
  };
  assert.ok(await same([{ action: 'delete', key: 'b' }]));
  assert.ok(await same([{ action: 'redact', pattern: 'y' }], ['span', 'resource', 'event']));
  assert.ok(await same([{ action: 'hash', key: 'a' }], ['event', 'link', 'resource']));
  assert.ok(!(await same([{ action: 'redact', pattern: 'x' }])));
});

test('a pattern that is not understood is refused at the start with the place of its key', () => {
  const config = attributesProcessorSchema.parse({
    actions: [
      { action: 'delete', key: 'a' },
      { action: 'redact', pattern: '(a' },
    ],
  });
  assert.throws(
    () => createAttributesProcessor(config, { name: 'attributes/x', next: new RecordingSink() }),
    (error) =>
      error instanceof SpoorError &&
      error.code === 'config' &&
      error.message.startsWith('processors.attributes/x.actions.1.pattern: '),
  );
});

const key = fc.constantFrom(...KEYS.filter((one) => one !== ''), 'missing', 'service.name');
const PATTERNS = ['T', '[a-z]+', '00?', 'é', '^GET$', 'code|http'];
const pattern = fc.constantFrom(...PATTERNS);
const value = fc.constantFrom<string | number | boolean>(...TEXTS, 1, -7, 2.5, true);
const setting = fc.constantFrom('insert' as const, 'update' as const, 'upsert' as const);

const action: fc.Arbitrary<AttributeActionConfig> = fc.oneof(
  fc.record({ action: setting, key, value }),
  fc.record({ action: setting, key, from_attribute: key }),
  fc.record({ action: fc.constantFrom('delete' as const, 'hash' as const), key }),
  fc.record({ action: fc.constantFrom('delete' as const, 'hash' as const), pattern }),
  fc.record({ action: fc.constant('redact' as const), pattern, value: fc.constantFrom('', '*') }),
  fc.record({ action: fc.constant('redact' as const), key, pattern, value: fc.constant('*') }),
);

/** The actions on a list of plain attributes, as simply as they can be written. */
function naive(list: readonly Attribute[], actions: readonly AttributeActionConfig[]): Attribute[] {
  let result = [...list];
  for (const one of actions) {
    const isMeant = (other: string): boolean =>
      other === one.key ||
      (one.action !== 'redact' && 'pattern' in one && one.pattern !== undefined
        ? new RegExp(one.pattern, 'u').test(other)
        : false);
    switch (one.action) {
      case 'delete':
        result = result.filter((attribute) => !isMeant(attribute.key));
        break;
      case 'hash':
        result = result.map((attribute) =>
          isMeant(attribute.key) ? { ...attribute, value: hashed(attribute.value) } : attribute,
        );
        break;
      case 'redact':
        result = result.map((attribute) =>
          one.key === undefined || one.key === attribute.key
            ? { ...attribute, value: redacted(attribute.value, one.pattern, one.value) }
            : attribute,
        );
        break;
      default: {
        const at = result.findIndex((attribute) => attribute.key === one.key);
        if (at < 0 ? one.action === 'update' : one.action === 'insert') break;
        const set =
          one.value === undefined
            ? result.find((attribute) => attribute.key === one.from_attribute)?.value
            : attributeValue(Number.isInteger(one.value) ? BigInt(one.value as number) : one.value);
        if (set === undefined) break;
        const before = result.slice(0, at < 0 ? result.length : at);
        const after = at < 0 ? [] : result.slice(at + 1).filter((other) => other.key !== one.key);
        result = [...before, { key: one.key, value: set }, ...after];
      }
    }
  }
  return result;
}

function hashed(given: AttributeValue): AttributeValue {
  if (given.type === 'absent' || given.type === 'empty') return given;
  const one = batchOf([span({ attributes: [{ key: 'k', value: given }] })]);
  const column = one.columns[0]!;
  const { bytes, offsets } = column.values;
  const canonical = bytes.subarray(offsets[0], offsets[1]);
  return { type: 'string', value: createHash('sha256').update(canonical).digest('hex') };
}

function redacted(given: AttributeValue, regex: string, mask: string): AttributeValue {
  switch (given.type) {
    case 'string':
      return { ...given, value: given.value.replaceAll(new RegExp(regex, 'gu'), mask) };
    case 'array':
      return { ...given, value: given.value.map((one) => redacted(one, regex, mask)) };
    case 'kvlist':
      return {
        ...given,
        value: given.value.map((one) => ({ ...one, value: redacted(one.value, regex, mask) })),
      };
    default:
      return given;
  }
}

function naiveSpan(given: Span, { actions, apply_to: places }: AttributesProcessorConfig): Span {
  const changed = <Owner extends { readonly attributes: readonly Attribute[] }>(owner: Owner) => ({
    ...owner,
    attributes: naive(owner.attributes, actions),
  });
  let result = given;
  if (places.includes('span')) result = changed(result);
  if (places.includes('event')) result = { ...result, events: result.events.map(changed) };
  if (places.includes('link')) result = { ...result, links: result.links.map(changed) };
  if (places.includes('resource')) {
    const own = changed(result.resource);
    const last = own.attributes.findLast(({ key: other }) => other === 'service.name')?.value;
    const serviceName = last?.type === 'string' ? last.value : '';
    const present = own.present || own.attributes.length > 0;
    result = { ...result, resource: { ...own, serviceName, present } };
  }
  return result;
}

test('any actions on any spans do what the plainest code does, and leave the batch alone', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(arbitrarySpan, { minLength: 1, maxLength: 5 }),
      fc.array(action, { minLength: 1, maxLength: 4 }),
      fc.subarray([...ATTRIBUTE_PLACES], { minLength: 1 }),
      fc.constantFrom(1, 9),
      async (some, actions, places, times) => {
        const spans = Array.from({ length: times }, () => some).flat();
        const batch = batchOf(spans);
        const bytes = batch.bytes.slice();
        const given = spansOf(batch);
        const next = new RecordingSink();
        const config: AttributesProcessorConfig = { actions, apply_to: places };
        const processor = createAttributesProcessor(config, { name, next });
        await processor.write(tenant, batch);
        assert.deepEqual(
          next.spans,
          given.map((one) => naiveSpan(one, config)),
        );
        assert.deepEqual(batch.bytes, bytes);
        assert.equal(countsOf(processor)['otelcol_processor_outgoing_items'], spans.length);
      },
    ),
    { numRuns: 100 },
  );
});
