// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SpoorError } from '#model/errors.ts';
import { ThriftBinaryReader } from './binary-reader.ts';
import { ThriftCompactReader } from './compact-reader.ts';
import { mutated } from '#wire/mapping/testing/mutations.ts';
import {
  encodeMessage,
  encodeStruct,
  type Protocol,
  PROTOCOLS,
  text,
  type ThriftField,
  type ThriftValue,
} from './testing/thrift-library.ts';
import { skipThrift, ThriftType, type ThriftReader } from './thrift-reader.ts';

function readerOf(protocol: Protocol, bytes: Uint8Array): ThriftReader {
  const reader = protocol === 'binary' ? new ThriftBinaryReader() : new ThriftCompactReader();
  reader.reset(bytes);
  return reader;
}

const value: fc.Arbitrary<ThriftValue> = fc.letrec<{ value: ThriftValue; struct: ThriftValue }>(
  (tie) => {
    const scalar: fc.Arbitrary<ThriftValue>[] = [
      typed('bool', fc.boolean()),
      typed('byte', fc.nat(127)),
      typed('i16', fc.integer({ min: -32768, max: 32767 })),
      typed('i32', fc.integer()),
      typed('i64', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      // The library writes subnormal numbers and -0 as it likes.
      typed(
        'double',
        fc.double({ noNaN: true }).map((n) => (Math.abs(n) < 1e-300 ? 0 : n)),
      ),
      typed('string', fc.uint8Array({ maxLength: 20 })),
    ];
    const items = [...scalar, tie('struct')].map((item) =>
      fc.array(item, { maxLength: 20 }).map((values) => ({
        item: values[0]?.type ?? 'i32',
        value: values,
      })),
    );
    return {
      value: fc.oneof(
        { maxDepth: 3, depthSize: 'small' },
        ...scalar,
        tie('struct'),
        ...items.flatMap((list) => [
          list.map((fields) => ({ type: 'list', ...fields }) as const),
          list.map((fields) => ({ type: 'set', ...fields }) as const),
        ]),
        fc
          .array(fc.tuple(scalar[6]!, tie('struct')), { maxLength: 3 })
          .map((pairs) => ({ type: 'map', key: 'string', item: 'struct', value: pairs }) as const),
      ),
      struct: fc
        .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 32767 }), tie('value')), {
          maxLength: 4,
          selector: ([id]) => id,
        })
        .map((fields) => ({ type: 'struct', value: fields }) as const),
    };
  },
).value;

const fieldsOf = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 40 }), value), {
    maxLength: 5,
    selector: ([id]) => id,
  })
  // Also in an order that no library writes.
  .map((fields): readonly ThriftField[] => fields);

function typed<T extends ThriftValue['type'], V>(
  type: T,
  values: fc.Arbitrary<V>,
): fc.Arbitrary<ThriftValue> {
  // The callers give each type its value.
  return values.map((one) => ({ type, value: one }) as unknown as ThriftValue);
}

const NAMES = new Map<number, ThriftValue['type']>(
  Object.entries(ThriftType)
    .filter(([name]) => name !== 'stop' && name !== 'uuid')
    // The rest are the types of values.
    .map(([name, number]) => [number, name as ThriftValue['type']]),
);

/** Reads a value back into the form in which it was given to the library. */
function readValue(reader: ThriftReader, type: number): ThriftValue {
  const name = NAMES.get(type) ?? assert.fail(`type ${type}`);
  const bytes = new Uint8Array(8);
  switch (name) {
    case 'bool':
      return { type: name, value: reader.bool() };
    case 'byte':
      return { type: name, value: reader.byte() };
    case 'i16':
      return { type: name, value: reader.i16() };
    case 'i32':
      return { type: name, value: reader.i32() };
    case 'i64':
      reader.i64();
      return {
        type: name,
        value: BigInt.asIntN(64, (BigInt(reader.hi) << 32n) | BigInt(reader.lo)),
      };
    case 'double':
      reader.double(bytes);
      return { type: name, value: new DataView(bytes.buffer).getFloat64(0, true) };
    case 'string':
      reader.string();
      return { type: name, value: reader.bytes.slice(reader.start, reader.end) };
    case 'struct':
      return { type: name, value: readStruct(reader) };
    case 'list':
    case 'set': {
      const count = reader.list();
      const { itemType } = reader;
      return {
        type: name,
        item: NAMES.get(itemType)!,
        value: Array.from({ length: count }, () => readValue(reader, itemType)),
      };
    }
    case 'map': {
      const count = reader.map();
      const { keyType, itemType } = reader;
      return {
        type: name,
        key: 'string',
        item: 'struct',
        value: Array.from({ length: count }, () => [
          readValue(reader, keyType),
          readValue(reader, itemType),
        ]),
      };
    }
  }
}

function readStruct(reader: ThriftReader): ThriftField[] {
  const fields: ThriftField[] = [];
  for (let id = 0; ;) {
    const type = reader.field(id);
    if (type === ThriftType.stop) return fields;
    id = reader.fieldId;
    fields.push([id, readValue(reader, type)]);
  }
}

/** Runs and says whether it was refused as malformed; any other error is thrown. */
function isMalformed(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch (error) {
    if (error instanceof SpoorError && error.code === 'malformed') return true;
    throw error;
  }
}

for (const protocol of PROTOCOLS) {
  test(`${protocol}: what Thrift's own library writes is read back`, () => {
    fc.assert(
      fc.property(fieldsOf, (fields) => {
        const bytes = encodeStruct(protocol, fields);
        const reader = readerOf(protocol, bytes);
        assert.deepEqual(readStruct(reader), fields);
        assert.equal(reader.position, bytes.length);
      }),
      { numRuns: 100 },
    );
  });

  test(`${protocol}: a value of any type is passed over`, () => {
    fc.assert(
      fc.property(fieldsOf, (fields) => {
        const bytes = encodeStruct(protocol, fields);
        const reader = readerOf(protocol, bytes);
        skipThrift(reader, ThriftType.struct);
        assert.equal(reader.position, bytes.length);
      }),
      { numRuns: 100 },
    );
  });

  test(`${protocol}: a message is read with its name and type`, () => {
    const reader = readerOf(protocol, encodeMessage(protocol, 'emitBatch', [[1, text('a')]], 1));
    assert.equal(reader.message(), 1);
    assert.equal(
      Buffer.from(reader.bytes.subarray(reader.start, reader.end)).toString(),
      'emitBatch',
    );
    assert.deepEqual(readStruct(reader), [[1, text('a')]]);
  });

  test(`${protocol}: bytes that are cut anywhere are malformed`, () => {
    fc.assert(
      fc.property(fieldsOf, (fields) => {
        const bytes = encodeStruct(protocol, fields);
        for (let length = 0; length < bytes.length; length++) {
          const cut = readerOf(protocol, bytes.slice(0, length));
          assert.ok(isMalformed(() => skipThrift(cut, ThriftType.struct)));
        }
      }),
      { numRuns: 50 },
    );
  });

  test(`${protocol}: bytes that were changed are read or malformed, and never read past their end`, () => {
    const bytes = fieldsOf.map((fields) => encodeStruct(protocol, fields)).chain(mutated);
    fc.assert(
      fc.property(fc.oneof(bytes, fc.uint8Array({ maxLength: 60 })), (changed) => {
        const reader = readerOf(protocol, changed);
        isMalformed(() => skipThrift(reader, ThriftType.struct));
        assert.ok(reader.position <= changed.length);
      }),
      { numRuns: 300 },
    );
  });

  test(`${protocol}: what is nested 64 deep is passed over, and no more`, () => {
    const nested = (depth: number): ThriftField[] =>
      depth === 1 ? [] : [[1, { type: 'struct', value: nested(depth - 1) }]];
    skipThrift(readerOf(protocol, encodeStruct(protocol, nested(64))), ThriftType.struct);
    assert.throws(
      () => skipThrift(readerOf(protocol, encodeStruct(protocol, nested(65))), ThriftType.struct),
      /nested over 64 deep/,
    );
  });
}

test('a message in the old form of the binary protocol is read', () => {
  const name = Buffer.from('emitBatch');
  const bytes = Buffer.concat([Buffer.from([0, 0, 0, 9]), name, Buffer.from([4, 0, 0, 0, 1, 0])]);
  const reader = readerOf('binary', bytes);
  assert.equal(reader.message(), 4);
  assert.deepEqual(readStruct(reader), []);
});

test('a list that says it has more items than there are bytes is refused before it is read', () => {
  const lists: [Protocol, number[]][] = [
    ['binary', [15, 0, 1, 8, 0x7f, 0xff, 0xff, 0xff]],
    ['binary', [15, 0, 1, 8, 0xff, 0xff, 0xff, 0xff]],
    ['binary', [13, 0, 1, 8, 8, 0x7f, 0xff, 0xff, 0xff]],
    ['compact', [0x19, 0xf5, 0xff, 0xff, 0xff, 0xff, 0x07]],
    ['compact', [0x1b, 0xff, 0xff, 0xff, 0xff, 0x07, 0x55]],
  ];
  for (const [protocol, bytes] of lists) {
    const reader = readerOf(protocol, Uint8Array.from(bytes));
    assert.throws(() => skipThrift(reader, ThriftType.struct), /truncated|negative length/);
  }
});

test('an unknown version or protocol is refused', () => {
  const messages: [Protocol, number[], RegExp][] = [
    ['binary', [0x80, 2, 0, 4], /version 32770, not 32769/],
    ['compact', [0x80, 0x81], /protocol 128, not 130/],
    ['compact', [0x82, 0x82], /version 2, not 1/],
  ];
  for (const [protocol, bytes, message] of messages) {
    const reader = readerOf(protocol, Uint8Array.from([...bytes, 0, 0, 0, 0, 0, 0, 0, 0]));
    assert.throws(() => reader.message(), { code: 'malformed', message });
  }
});
