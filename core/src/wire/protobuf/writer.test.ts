// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { ProtoWriter } from './writer.ts';

test('fields are written as the official library writes them', () => {
  const number = fc.oneof(fc.nat(300), fc.nat(2 ** 31 - 1), fc.maxSafeNat());
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5000 }),
      number,
      fc.uint8Array({ maxLength: 40 }),
      (field, value, bytes) => {
        const low = value % 2 ** 32;
        const high = Math.floor(value / 2 ** 32);
        const writer = new ProtoWriter(1);
        writer.uintField(field, value);
        writer.fixed32Field(field, low);
        writer.fixed64Field(field, low, high);
        writer.bytesField(field, bytes);
        writer.varint64(low, high);
        const official = new BinaryWriter();
        if (value !== 0) official.tag(field, 0).uint64(value);
        if (low !== 0) official.tag(field, 5).fixed32(low);
        if (value !== 0) official.tag(field, 1).fixed64(value);
        official.tag(field, 2).bytes(bytes).uint64(value);
        assert.deepEqual(writer.toBytes(), Uint8Array.from(official.finish()));
      },
    ),
  );
});

test('all bits of a 64-bit number are written', () => {
  const writer = new ProtoWriter();
  writer.varint64(0xffffffff, 0xffffffff);
  assert.equal(writer.toBytes().toHex(), 'ffffffffffffffffff01');
  writer.clear();
  writer.varint64(0, 0x80000000);
  assert.equal(writer.toBytes().toHex(), '80808080808080808001');
  // As a number with sign, as bit operations give it.
  writer.clear();
  writer.varint64(-1, -1);
  assert.equal(writer.toBytes().toHex(), 'ffffffffffffffffff01');
});

test('messages within messages have their lengths, of one to four bytes', () => {
  for (const size of [0, 1, 121, 122, 127, 128, 129, 16_383, 16_384, 2_100_000]) {
    const content = new Uint8Array(size).fill(7);
    const writer = new ProtoWriter(1);
    const outer = writer.begin(1);
    const inner = writer.begin(2000);
    writer.bytesField(3, content);
    writer.end(inner);
    writer.uintField(4, 1);
    writer.end(outer);
    const official = new BinaryWriter();
    official.tag(1, 2).fork().tag(2000, 2).fork().tag(3, 2).bytes(content).join();
    official.tag(4, 0).uint32(1).join();
    assert.ok(Buffer.from(writer.toBytes()).equals(official.finish()), `${size} bytes`);
  }
});

test('a message that ends where the buffer does is whole', () => {
  for (let room = 1; room < 40; room++) {
    for (let size = 0; size < 20; size++) {
      const writer = new ProtoWriter(room);
      const message = writer.begin(1);
      writer.raw(new Uint8Array(size).fill(7));
      writer.end(message);
      assert.equal(
        writer.toBytes().toHex(),
        `0a${size.toString(16).padStart(2, '0')}${'07'.repeat(size)}`,
      );
    }
  }
});

test('a text is written as UTF-8, whatever it was', () => {
  const pieces = fc.constantFrom('a', 'é', '€', '\u{1f600}', '\xff');
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 100 }), fc.nat(3), (list, cut) => {
      // Latin-1 for some and the first bytes of others: most are no UTF-8.
      const bytes = Buffer.concat(
        list.map((one, i) => Buffer.from(one, i % 2 ? 'latin1' : 'utf8')),
      );
      const end = Math.max(0, bytes.length - cut);
      const writer = new ProtoWriter(1);
      writer.textField(3, bytes, 0, end);
      const mended = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, end));
      const expected = new ProtoWriter();
      expected.bytesField(3, Buffer.from(mended));
      assert.deepEqual(writer.toBytes(), expected.toBytes());
    }),
  );
});

test('a writer that is used again keeps its room, but not that of a large message', () => {
  const writer = new ProtoWriter(16);
  writer.raw(new Uint8Array(100_000));
  const { bytes } = writer;
  writer.reuse();
  assert.equal(writer.length, 0);
  assert.equal(writer.bytes, bytes);
  writer.raw(new Uint8Array(3 << 20));
  writer.reuse();
  assert.equal(writer.length, 0);
  assert.ok(writer.bytes.length < 1 << 16);
  writer.raw(Uint8Array.of(1, 2));
  assert.deepEqual([...writer.toBytes()], [1, 2]);
});
