// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { ProtoReader } from './reader.ts';

function uint64(reader: ProtoReader): bigint {
  return (BigInt(reader.hi) << 32n) | BigInt(reader.lo);
}

test('numbers that the official library wrote are read', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.nat(70), (number, shift) => {
      const value = number >> BigInt(shift);
      const bytes = new BinaryWriter()
        .uint64(value)
        .fixed64(value)
        .uint32(Number(value & 0xffffffffn))
        .fixed32(Number(value & 0xffffffffn))
        .int64(BigInt.asIntN(64, value))
        .finish();
      const reader = new ProtoReader('test', bytes);
      const end = bytes.length;
      reader.varint64(end);
      assert.equal(uint64(reader), value);
      reader.fixed64(end);
      assert.equal(uint64(reader), value);
      assert.equal(reader.varint32(end), Number(value & 0xffffffffn));
      assert.equal(reader.fixed32(end), Number(value & 0xffffffffn));
      reader.varint64(end);
      assert.equal(uint64(reader), value);
      assert.equal(reader.position, end);
    }),
  );
});

test('a varint may be longer than it needs, up to ten bytes', () => {
  const read = (...bytes: number[]): bigint => {
    const reader = new ProtoReader('test', Uint8Array.from(bytes));
    reader.varint64(bytes.length);
    assert.equal(reader.position, bytes.length);
    return uint64(reader);
  };
  assert.equal(read(0x80, 0), 0n);
  assert.equal(read(0x85, 0x80, 0x80, 0), 5n);
  assert.equal(read(0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0), 127n);
  // What is beyond 64 bits is dropped.
  assert.equal(read(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), 2n ** 64n - 1n);
  assert.throws(() => read(...Array(10).fill(0x80), 0), /more than 10 bytes at byte 0/);
});

test('nothing is read past the end of the message, though bytes follow', () => {
  const bytes = Uint8Array.from([0x80, 0x80, 1, 2, 3, 4, 5, 6, 7, 8]);
  const reads: [(reader: ProtoReader) => void, number][] = [
    [(reader) => reader.varint64(2), 0],
    [(reader) => reader.varint32(1), 0],
    [(reader) => reader.tag(0), 0],
    [(reader) => reader.fixed32(6), 3],
    [(reader) => reader.fixed64(10), 3],
    [(reader) => reader.length(4), 3],
    [(reader) => reader.skip(1, 9), 2],
    [(reader) => reader.skip(2, 5), 3],
    [(reader) => reader.skip(5, 5), 2],
    [(reader) => reader.skip(0, 1), 0],
  ];
  for (const [read, position] of reads) {
    const reader = new ProtoReader('test', bytes);
    reader.position = position;
    assert.throws(() => read(reader), { code: 'malformed', message: /^test: truncated: / });
  }
});

test('the value of an unknown field is passed over by its wire type', () => {
  const bytes = new BinaryWriter()
    .tag(1, 0)
    .uint64(2n ** 64n - 1n)
    .tag(2, 1)
    .fixed64(1n)
    .tag(3, 2)
    .string('text')
    .tag(4, 5)
    .fixed32(1)
    .finish();
  const reader = new ProtoReader('test', bytes);
  const fields: number[] = [];
  while (reader.position < bytes.length) {
    const tag = reader.tag(bytes.length);
    fields.push(tag >>> 3);
    reader.skip(tag, bytes.length);
  }
  assert.deepEqual(fields, [1, 2, 3, 4]);
  for (const wireType of [3, 4, 6, 7]) {
    assert.throws(() => reader.skip(8 + wireType, bytes.length), { code: 'malformed' });
  }
});
