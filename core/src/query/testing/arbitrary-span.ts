// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import type { Attribute, AttributeValue } from '#model/attributes.ts';
import type { Resource, Scope, Span, SpanEvent, SpanLink } from '#model/span.ts';
import { attributes, spanId, traceId } from './example-span.ts';

/** Few keys and values, so that spans share them and questions find them. */
export const KEYS = ['http.method', 'code', 'tags', ''];
export const TEXTS = ['', 'GET', 'POST', '200', 'true', 'é😀', '\uffff', 'NaN'];
export const INTS = [0n, 1n, 200n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
export const DOUBLES = [0, -0, 1, 1.5, 200, 2 ** 53, -2.5, NaN, Infinity, -Infinity, 1e300];
export const SERVICES = ['cart', 'shop', '商店'];
export const NAMES = ['', 'GET', 'charge', 'send 😀'];
export const KINDS = [0, 1, 2, 3, 254, 255, 256, -1, 2 ** 31 - 1];
export const STATUS_CODES = [0, 1, 2, 253, 254, 255, -1, 70_000];
/** Some at the edges of what 64 bits hold. */
export const STARTS = [0n, 1n, 999n, 1000n, 1001n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n];
export const DURATIONS = [0n, 1n, 500n, 2n ** 32n, 2n ** 53n + 1n, -1n, -1000n];

const scalar: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.constantFrom(...TEXTS).map((value) => ({ type: 'string' as const, value })),
  fc.constantFrom(...INTS).map((value) => ({ type: 'int' as const, value })),
  fc.constantFrom(...DOUBLES).map((value) => ({ type: 'double' as const, value })),
  fc.boolean().map((value) => ({ type: 'bool' as const, value })),
);

const rare: fc.Arbitrary<AttributeValue> = fc.constantFrom<AttributeValue>(
  { type: 'absent' },
  { type: 'empty' },
  { type: 'bytes', value: Uint8Array.of(71, 69, 84) },
  { type: 'kvlist', value: attributes({ code: 200n }) },
  { type: 'array', value: [{ type: 'array', value: [{ type: 'string', value: 'GET' }] }] },
);

const array = fc
  .array(fc.oneof(scalar, fc.constant<AttributeValue>({ type: 'empty' })), { maxLength: 3 })
  .map((value) => ({ type: 'array' as const, value }));

const attribute: fc.Arbitrary<Attribute> = fc.record({
  key: fc.constantFrom(...KEYS),
  value: fc.oneof({ weight: 6, arbitrary: scalar }, array, rare),
});

const attributeList = fc.array(attribute, { maxLength: 3 });

const dropped = fc.constantFrom(0, 0, 0, 7, 2 ** 32 - 1);

/** One attribute `service.name` for each value. */
function named(values: readonly (string | bigint)[]): Attribute[] {
  return values.flatMap((value) => attributes({ 'service.name': value }));
}

const resource: fc.Arbitrary<Resource> = fc
  .record({
    present: fc.constantFrom(true, true, true, false),
    service: fc.oneof(
      fc.array(fc.constantFrom(...SERVICES), { maxLength: 2 }).map(named),
      fc.constantFrom(named(['shop', 5n]), named([5n, 'cart'])),
    ),
    more: attributeList,
    droppedAttributesCount: dropped,
    schemaUrl: fc.constantFrom('', 'https://opentelemetry.io/schemas/1.26.0'),
  })
  .map(({ present, service, more, droppedAttributesCount, schemaUrl }) => {
    if (!present) {
      return { present, serviceName: '', attributes: [], droppedAttributesCount: 0, schemaUrl };
    }
    // The last one counts.
    const name = service.at(-1)?.value;
    const serviceName = name?.type === 'string' ? name.value : '';
    const list = [...more.slice(1), ...service, ...more.slice(0, 1)];
    return { present, serviceName, attributes: list, droppedAttributesCount, schemaUrl };
  });

const scope: fc.Arbitrary<Scope> = fc.oneof(
  fc.record({
    present: fc.constant(true),
    name: fc.constantFrom('', 'http'),
    version: fc.constantFrom('', '1.0'),
    attributes: attributeList,
    droppedAttributesCount: dropped,
    schemaUrl: fc.constantFrom('', 'urn:scope'),
  }),
  fc.constant<Scope>({
    present: false,
    name: '',
    version: '',
    attributes: [],
    droppedAttributesCount: 0,
    schemaUrl: '',
  }),
);

const event: fc.Arbitrary<SpanEvent> = fc.record({
  timeUnixNano: fc.constantFrom(...STARTS),
  name: fc.constantFrom('', 'exception', 'GET'),
  attributes: attributeList,
  droppedAttributesCount: dropped,
});

const link: fc.Arbitrary<SpanLink> = fc.record({
  traceId: fc.constantFrom('', '0'.repeat(32), traceId(1)),
  spanId: fc.constantFrom('', '0'.repeat(16), spanId(2)),
  traceState: fc.constantFrom('', 'a=1'),
  flags: fc.constantFrom(0, 1, 2 ** 32 - 1),
  attributes: attributeList,
  droppedAttributesCount: dropped,
});

/** Spans of a few traces, with few ids, so that some share theirs; everything that OTLP can say appears. */
export const arbitrarySpan: fc.Arbitrary<Span> = fc
  .record({
    traceId: fc.integer({ min: 1, max: 4 }).map(traceId),
    spanId: fc.integer({ min: 1, max: 5 }).map(spanId),
    parentSpanId: fc.constantFrom('' as const, '' as const, spanId(1), spanId(9), spanId(0)),
    traceState: fc.constantFrom('', '', 'a=1,b=2'),
    flags: fc.constantFrom(0, 1, 257, 2 ** 32 - 1),
    name: fc.constantFrom(...NAMES),
    kind: fc.constantFrom(...KINDS),
    startTimeUnixNano: fc.constantFrom(...STARTS),
    duration: fc.constantFrom(...DURATIONS),
    status: fc.option(
      fc.record({
        code: fc.constantFrom(...STATUS_CODES),
        message: fc.constantFrom('', 'timeout'),
      }),
      { nil: undefined },
    ),
    attributes: attributeList,
    droppedAttributesCount: dropped,
    events: fc.array(event, { maxLength: 2 }),
    droppedEventsCount: dropped,
    links: fc.array(link, { maxLength: 2 }),
    droppedLinksCount: dropped,
    resource,
    scope,
  })
  .map(({ duration, ...span }) => ({
    ...span,
    endTimeUnixNano: BigInt.asUintN(64, span.startTimeUnixNano + duration),
  }));
