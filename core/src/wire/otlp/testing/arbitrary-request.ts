// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';

/** A message in the form that `create` of the protobuf library takes. */
export type Init = Record<string, unknown>;

const text = fc.oneof(
  fc.constantFrom('', 'a', 'service.name', 'b'),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ minLength: 120, maxLength: 140 }),
);
const key = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('service.name', 'http.route', 'k', '') },
  { weight: 1, arbitrary: text },
);
const uint32 = fc.oneof(fc.constantFrom(0, 0, 1, 0xffffffff), fc.nat(0xffffffff));
const uint64 = fc.oneof(
  fc.constantFrom(0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: 1_700_000_000_000_000_000n, max: 1_800_000_000_000_000_000n }),
);
const int64 = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const enumNumber = fc.oneof(
  { weight: 4, arbitrary: fc.nat(5) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(6, 252, 253, 254, 255, 256, -1, -2, -255, 2 ** 31 - 1, -(2 ** 31)),
  },
);
const droppedAttributesCount = uint32;

/** An `AnyValue` of any kind, nested up to 4 deep. */
export const anyValue: fc.Arbitrary<Init> = fc.letrec<{ value: Init; keyValue: Init }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constant({}),
    fc.oneof(
      ...Object.entries({
        stringValue: text,
        boolValue: fc.boolean(),
        intValue: int64,
        doubleValue: fc.double(),
        bytesValue: fc.uint8Array({ maxLength: 20 }),
      }).map(([name, value]) => caseOf(name, value)),
    ),
    caseOf('arrayValue', fc.record({ values: fc.array(tie('value'), { maxLength: 3 }) })),
    caseOf('kvlistValue', fc.record({ values: fc.array(tie('keyValue'), { maxLength: 3 }) })),
  ),
  keyValue: fc.record({ key, value: tie('value') }, { requiredKeys: [] }),
})).value;

function caseOf(name: string, value: fc.Arbitrary<unknown>): fc.Arbitrary<Init> {
  return value.map((content) => ({ value: { case: name, value: content } }));
}

const keyValue = fc.record({ key, value: anyValue }, { requiredKeys: [] });
const attributes = fc.array(keyValue, { maxLength: 4 });

const event = message({ timeUnixNano: uint64, name: text, attributes, droppedAttributesCount });

const link = message({
  traceId: fc.oneof(id(16), fc.constant(new Uint8Array(16))),
  spanId: fc.oneof(id(8), fc.constant(new Uint8Array(8))),
  traceState: text,
  attributes,
  droppedAttributesCount,
  flags: uint32,
});

/** A span that keeps the rules; whatever may be missing is missing at times. */
export const validSpan: fc.Arbitrary<Init> = fc.record(
  {
    traceId: id(16),
    spanId: id(8),
    traceState: text,
    parentSpanId: fc.oneof(id(8), fc.constantFrom(new Uint8Array(0), new Uint8Array(8))),
    name: text,
    kind: enumNumber,
    startTimeUnixNano: uint64,
    endTimeUnixNano: uint64,
    attributes,
    droppedAttributesCount,
    events: fc.array(event, { maxLength: 3 }),
    droppedEventsCount: uint32,
    links: fc.array(link, { maxLength: 2 }),
    droppedLinksCount: uint32,
    status: message({ message: text, code: enumNumber }),
    flags: uint32,
  },
  { requiredKeys: ['traceId', 'spanId'] },
);

const texts = fc.array(text, { maxLength: 2 });
const entityRefs = fc.array(
  message({ schemaUrl: text, type: text, idKeys: texts, descriptionKeys: texts }),
  { maxLength: 2 },
);
const resource = fc.oneof(
  fc.constantFrom(
    {},
    {
      attributes: [{ key: 'service.name', value: { value: { case: 'stringValue', value: 's' } } }],
    },
  ),
  message({ attributes, droppedAttributesCount, entityRefs }),
);
const scope = message({ name: text, version: text, attributes, droppedAttributesCount });
const schemaUrl = fc.constantFrom('', 'https://opentelemetry.io/schemas/1.37.0');

/** An `ExportTraceServiceRequest` whose spans all keep the rules. */
export const validRequest: fc.Arbitrary<Init> = requestOf(validSpan);

/** An `ExportTraceServiceRequest` of these spans. */
export function requestOf(span: fc.Arbitrary<Init>): fc.Arbitrary<Init> {
  const scopeSpans = fc.array(
    message({ scope, spans: fc.array(span, { maxLength: 4 }), schemaUrl }),
    {
      maxLength: 3,
    },
  );
  return fc.record({
    resourceSpans: fc.array(message({ resource, scopeSpans, schemaUrl }), { maxLength: 3 }),
  });
}

function id(size: number): fc.Arbitrary<Uint8Array> {
  return fc
    .uint8Array({ minLength: size, maxLength: size })
    .filter((bytes) => bytes.some((byte) => byte !== 0));
}

function message(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Init> {
  return fc.record(fields, { requiredKeys: [] });
}
