// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProtoReader } from '@spoor/core/wire/protobuf/reader.ts';
import { BodyWriter, varintSize } from './body-writer.ts';

test('numbers are read back as they were written', () => {
  fc.assert(
    fc.property(
      fc.maxSafeNat(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      (n, big) => {
        const writer = new BodyWriter(64);
        writer.varint(n);
        writer.varint64(big);
        const reader = new ProtoReader('test', writer.bytes);
        reader.varint64(writer.position);
        assert.equal(reader.hi * 2 ** 32 + reader.lo, n);
        reader.varint64(writer.position);
        assert.equal(BigInt.asIntN(64, (BigInt(reader.hi) << 32n) | BigInt(reader.lo)), big);
        assert.equal(reader.position, writer.position);
      },
    ),
  );
});

test('a message of any length has its length before it', () => {
  for (const length of [0, 1, 127, 128, 129, 16_383, 16_384, 300_000]) {
    const writer = new BodyWriter(8);
    const outer = writer.begin(0x0a);
    const inner = writer.begin(0x12);
    writer.reserve(length);
    writer.raw(new Uint8Array(length).fill(7));
    writer.end(inner);
    writer.end(outer);
    const reader = new ProtoReader('test', writer.bytes);
    assert.equal(reader.tag(writer.position), 0x0a);
    assert.equal(reader.length(writer.position), 1 + varintSize(length) + length);
    assert.equal(reader.tag(writer.position), 0x12);
    assert.equal(reader.length(writer.position), length);
    assert.equal(reader.position + length, writer.position);
    assert.ok(
      writer
        .copy()
        .subarray(reader.position)
        .every((byte) => byte === 7),
    );
  }
});

test('text is written as UTF-8', () => {
  const writer = new BodyWriter(1);
  writer.text(0x0a, 'Spur 足跡');
  const reader = new ProtoReader('test', writer.copy());
  assert.equal(reader.tag(100), 0x0a);
  const length = reader.length(writer.position);
  assert.equal(
    writer.copy().toString('utf8', reader.position, reader.position + length),
    'Spur 足跡',
  );
});
