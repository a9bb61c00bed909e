// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { AttributeLevel, ValueType } from './attributes.ts';
import { BatchBuilder } from './batch-builder.ts';
import { symbolText } from './span-reader.ts';
import { type ScriptedSpan, scriptedSpan, uniqueSpan, writeSpan } from './testing/scripted-span.ts';
import { encodeText } from './utf8.ts';

/** The batch of these spans from a fresh builder. */
function batchOf(spans: readonly ScriptedSpan[]): Uint8Array {
  const builder = new BatchBuilder(16);
  for (const span of spans) writeSpan(builder, span);
  return builder.finish().bytes;
}

/** Some spans, some of them with values of a column that are nearly all distinct and near the number that decides. */
const someSpans = fc
  .tuple(
    fc.array(scriptedSpan, { maxLength: 8 }),
    fc.constantFrom(0, 0, 5, 1020, 1030),
    fc.constantFrom(1, 2, 1_000_000),
  )
  .map(([spans, count, distinct]) => [
    ...spans,
    ...Array.from({ length: count }, (_, i) => uniqueSpan(i % distinct)),
  ]);

test('what was added after a mark leaves no trace when it is rolled back', () => {
  const builder = new BatchBuilder(16);
  fc.assert(
    fc.property(
      someSpans,
      someSpans,
      fc.option(scriptedSpan, { nil: undefined }),
      someSpans,
      (before, takenBack, cut, after) => {
        // The builder is the same for all runs: what it keeps from earlier batches must not show either.
        for (const span of before) writeSpan(builder, span);
        const mark = builder.mark();
        for (const span of takenBack) writeSpan(builder, span);
        if (cut !== undefined) writeSpan(builder, cut, true);
        builder.rollback(mark);
        for (const span of after) writeSpan(builder, span);
        assert.deepEqual(builder.finish().bytes, batchOf([...before, ...after]));
      },
    ),
    { numRuns: 150 },
  );
});

test('a span that is taken back leaves no values, events or links', () => {
  fc.assert(
    fc.property(fc.array(scriptedSpan, { maxLength: 10 }), (spans) => {
      const builder = new BatchBuilder(16);
      for (const span of spans) writeSpan(builder, span);
      const kept = spans.filter(({ isAborted }) => !isAborted);
      const batch = builder.finish();
      assert.equal(batch.rows, kept.length);
      assert.equal(batch.events?.count ?? 0, kept.flatMap(({ events }) => events).length);
      assert.equal(batch.links?.count ?? 0, kept.flatMap(({ links }) => links).length);
      const values = kept.flatMap((span) => [span.values, ...span.events, ...span.links]).flat();
      assert.equal(
        batch.columns.reduce((sum, column) => sum + column.count, 0),
        values.length,
      );
    }),
  );
});

test('an abort after a rollback in the middle of an event takes back only its own span', () => {
  const builder = new BatchBuilder();
  const key = encodeText('k');
  const addTo = (level: AttributeLevel): void =>
    builder.attribute(level, ValueType.string, key, 0, 1, key, 0, 1);
  writeSpan(builder, uniqueSpan('kept'));
  const mark = builder.mark();
  builder.beginSpan();
  builder.beginEvent();
  addTo(AttributeLevel.event);
  builder.rollback(mark);
  builder.beginSpan();
  addTo(AttributeLevel.span);
  builder.abortSpan();
  writeSpan(builder, uniqueSpan('kept too'));
  const batch = builder.finish();
  assert.equal(batch.rows, 2);
  assert.deepEqual(
    batch.columns.map(({ count }) => count),
    [2, 0],
  );
});

test('a column of mostly distinct values keeps no dictionary from the 1,024th value on', () => {
  const plainAfter = (count: number, distinct: number): boolean => {
    const builder = new BatchBuilder();
    for (let i = 0; i < count; i++) writeSpan(builder, uniqueSpan(i % distinct));
    const column = builder.finish().columns[0]!;
    assert.equal(column.count, count);
    for (const i of [0, 1, count - 2, count - 1]) {
      assert.equal(symbolText(column.values, column.codes?.[i] ?? i), String(i % distinct));
    }
    return column.codes === undefined;
  };
  assert.equal(plainAfter(1023, 1_000_000), false);
  assert.equal(plainAfter(1024, 1_000_000), true);
  assert.equal(plainAfter(5000, 1_000_000), true);
  // 70 % of 1,024 is 716.8.
  assert.equal(plainAfter(1024, 716), false);
  assert.equal(plainAfter(1024, 717), true);
  assert.equal(plainAfter(5000, 700), false);
});

test('text that is not UTF-8 is mended in keys and values, in plain columns too', () => {
  const builder = new BatchBuilder();
  const key = Uint8Array.of(0x6b, 0xff);
  for (let i = 0; i < 1100; i++) {
    builder.beginSpan();
    const value = Uint8Array.of(...encodeText(`${i}`), 0xc3);
    builder.attribute(0, ValueType.string, key, 0, 2, value, 0, value.length);
    builder.endSpan();
  }
  const batch = builder.finish();
  const column = batch.columns[0]!;
  assert.equal(column.codes, undefined);
  assert.equal(symbolText(batch.keys, column.key), 'k\ufffd');
  assert.equal(symbolText(column.values, 5), '5\ufffd');
  assert.equal(symbolText(column.values, 1099), '1099\ufffd');
});

test('text that is not UTF-8 is mended though bytes of the same content came before', () => {
  const builder = new BatchBuilder(16);
  const key = encodeText('ab');
  const value = Uint8Array.of(0xff, 0xfe);
  const add = (type: ValueType, at: number): void =>
    builder.attribute(AttributeLevel.span, type, key, at, at + 1, value, 0, value.length);
  for (let batch = 0; batch < 2; batch++) {
    builder.beginSpan();
    add(ValueType.bytes, batch);
    add(ValueType.string, 1 - batch);
    add(ValueType.bytes, batch);
    builder.endSpan();
    const { values, cellCodes } = builder.finish();
    const texts = Array.from(cellCodes, (code) =>
      Buffer.from(values.bytes.subarray(values.offsets[code], values.offsets[code + 1])).toHex(),
    );
    assert.deepEqual(texts, ['fffe', 'efbfbdefbfbd', 'fffe']);
  }
});

test('attributes keep their order and their doubles', () => {
  const builder = new BatchBuilder();
  const order = ['b', 'a', 'b', 'c', 'b', 'a'];
  for (let row = 0; row < 3; row++) {
    builder.beginSpan();
    for (const name of order) {
      const key = encodeText(name);
      builder.attribute(0, ValueType.string, key, 0, 1, key, 0, 1);
    }
    builder.endSpan();
  }
  const batch = builder.finish();
  assert.equal(batch.shapes.count, 1);
  assert.deepEqual(
    [...batch.shapes.columns].map((id) => symbolText(batch.keys, batch.columns[id]!.key)),
    order,
  );
});

test('one key has a column for each level and type', () => {
  const builder = new BatchBuilder();
  const key = encodeText('k');
  builder.beginSpan();
  const levels = Object.values(AttributeLevel);
  const types = [ValueType.string, ValueType.bytes];
  builder.beginEvent();
  builder.beginLink();
  for (const level of levels) {
    for (const type of types) builder.attribute(level, type, key, 0, 1, key, 0, 1);
  }
  builder.endEvent();
  builder.endLink();
  builder.endSpan();
  const { columns, keys } = builder.finish();
  assert.equal(keys.count, 1);
  assert.deepEqual(
    columns.map(({ level, type }) => [level, type]),
    levels.flatMap((level) => types.map((type) => [level, type])),
  );
});

test('requests with very many keys that are refused do not make the builder large', () => {
  const builder = new BatchBuilder();
  const refused = (from: number): void => {
    const mark = builder.mark();
    builder.beginSpan();
    for (let i = from; i < from + 20_000; i++) {
      const key = encodeText(`key ${i}`);
      builder.attribute(0, ValueType.empty, key, 0, key.length, key, 0, 0);
    }
    builder.rollback(mark);
  };
  for (let i = 0; i < 3; i++) refused(i * 20_000);
  writeSpan(builder, uniqueSpan('kept'));
  assert.deepEqual(builder.finish().bytes, batchOf([uniqueSpan('kept')]));
});
