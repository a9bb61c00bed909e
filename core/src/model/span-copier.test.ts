// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { BatchBuilder } from './batch-builder.ts';
import { SpanCopier } from './span-copier.ts';
import type { Span } from './span.ts';
import { SpanReader } from './span-reader.ts';
import { scriptedSpan, uniqueSpan, writeSpan } from './testing/scripted-span.ts';

test('copied rows read as the rows they were copied from', () => {
  fc.assert(
    fc.property(
      fc.array(scriptedSpan, { maxLength: 10 }),
      fc.constantFrom(0, 1030),
      fc.array(fc.nat(1039), { maxLength: 20 }),
      (spans, uniqueCount, picks) => {
        const builder = new BatchBuilder();
        for (const span of spans) writeSpan(builder, span);
        for (let i = 0; i < uniqueCount; i++) writeSpan(builder, uniqueSpan(i));
        const source = builder.finish();
        const rows = picks.filter((row) => row < source.rows);
        // The first target row is of other origin, so that the codes differ.
        writeSpan(builder, uniqueSpan('first'));
        const copier = new SpanCopier(source, builder);
        for (const row of rows) copier.copy(row);
        const target = builder.finish();
        assert.equal(target.rows, rows.length + 1);
        const from = new SpanReader(source);
        const to = new SpanReader(target);
        for (const [i, row] of rows.entries()) assert.deepEqual(to.read(i + 1), from.read(row));
      },
    ),
    { numRuns: 60 },
  );
});

test('copying all rows gives the same batch', () => {
  fc.assert(
    fc.property(fc.array(scriptedSpan, { maxLength: 10 }), (spans) => {
      const builder = new BatchBuilder();
      for (const span of spans) if (!span.isAborted) writeSpan(builder, span);
      const source = builder.finish();
      const copier = new SpanCopier(source, builder);
      for (let row = 0; row < source.rows; row++) copier.copy(row);
      const copy = builder.finish();
      // Columns come in the order in which their first value is met: span, events, links.
      const ordered = spans.every(({ events, links }) => events.length + links.length === 0);
      if (ordered) assert.deepEqual(copy.bytes, source.bytes);
      else assert.equal(copy.bytes.length, source.bytes.length);
    }),
  );
});

test('many rows are copied as few are, also when the builder is emptied or taken back between them', () => {
  fc.assert(
    fc.property(
      fc.array(scriptedSpan, { minLength: 1, maxLength: 6 }),
      fc.array(fc.tuple(fc.nat(1000), fc.constantFrom('', '', '', '', 'finish', 'rollback')), {
        minLength: 30,
        maxLength: 80,
      }),
      (spans, steps) => {
        const builder = new BatchBuilder();
        for (const span of spans) writeSpan(builder, { ...span, isAborted: false });
        const source = builder.finish();
        const from = new SpanReader(source);
        const copier = new SpanCopier(source, builder);
        const expected: Span[] = [];
        const check = (): void => {
          const target = builder.finish();
          const to = new SpanReader(target);
          assert.deepEqual(
            Array.from({ length: target.rows }, (_, row) => to.read(row)),
            expected,
          );
          expected.length = 0;
        };
        for (const [pick, then] of steps) {
          const mark = builder.mark();
          copier.copy(pick % source.rows);
          if (then === 'rollback') builder.rollback(mark);
          else expected.push(from.read(pick % source.rows));
          if (then === 'finish') check();
        }
        check();
      },
    ),
    { numRuns: 60 },
  );
});
