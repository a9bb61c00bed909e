// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { AttributeLevel, ValueType } from './attributes.ts';
import { BatchBuilder } from './batch-builder.ts';
import { symbolBytes, symbolText } from './span-reader.ts';
import {
  type ScriptedSpan,
  type ScriptedValue,
  scriptedSpan,
  uniqueSpan,
  writeSpan,
} from './testing/scripted-span.ts';

/** The values that a column should have, as hex texts, in the order of the spans. */
function expected(
  spans: readonly ScriptedSpan[],
  level: AttributeLevel,
  type: ValueType,
  key: string,
): string[] {
  const lists = spans
    .filter(({ isAborted }) => !isAborted)
    .flatMap(({ values, events, links }): readonly (readonly ScriptedValue[])[] =>
      level <= AttributeLevel.spanField
        ? [values]
        : level <= AttributeLevel.eventField
          ? events
          : links,
    );
  return lists
    .flat()
    .filter((value) => value.field === (level & 1) && value.type === type && value.key === key)
    .map(({ value }) => value.toHex());
}

test('a column has the values of its key, type and level in the order of the spans', () => {
  fc.assert(
    fc.property(
      fc.array(scriptedSpan, { maxLength: 15 }),
      fc.constantFrom(0, 0, 0, 1100),
      (some, uniqueCount) => {
        const spans = [...some, ...Array.from({ length: uniqueCount }, (_, i) => uniqueSpan(i))];
        const builder = new BatchBuilder();
        for (const span of spans) writeSpan(builder, span);
        const batch = builder.finish();
        for (const column of batch.columns) {
          const { level, type, key, count, codes, values } = column;
          const all = Array.from({ length: count }, (_, i) =>
            symbolBytes(values, codes?.[i] ?? i).toHex(),
          );
          assert.deepEqual(all, expected(spans, level, type, symbolText(batch.keys, key)));
          // A dictionary has distinct entries, all of them used.
          if (codes !== undefined) {
            assert.equal(values.count, new Set(all).size);
            assert.equal(new Set(codes).size, values.count);
          } else assert.equal(values.count, count);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('columns that only a span had that was taken back are empty', () => {
  const value: ScriptedValue = {
    field: 0,
    type: ValueType.bytes,
    key: 'k',
    value: Uint8Array.of(1),
  };
  const builder = new BatchBuilder();
  writeSpan(builder, {
    seed: 1,
    values: [value],
    events: [[value]],
    links: [[value]],
    isAborted: true,
  });
  writeSpan(builder, uniqueSpan('kept'));
  const { columns } = builder.finish();
  assert.deepEqual(
    columns.map(({ codes, values }) => [codes?.length, values.count]),
    [
      [0, 0],
      [0, 0],
      [0, 0],
      [1, 1],
    ],
  );
});
