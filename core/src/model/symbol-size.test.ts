// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TagText } from '#wire/mapping/tag-text.ts';
import { SymbolWriter } from '#wire/mapping/symbol-writer.ts';
import { CanonicalWriter } from '#wire/otlp/canonical.ts';
import { SpoorError } from './errors.ts';

const EMPTY = new Uint8Array(0);

function textOf(bytes: number): TagText {
  const text = new TagText();
  text.set(new Uint8Array(bytes).fill(0x61), 0, bytes);
  return text;
}

const tooLarge = (error: unknown): boolean =>
  error instanceof SpoorError && error.code === 'too_large';

test('a resource or scope of over a MiB is refused, in whichever format it came', () => {
  const canonical = new CanonicalWriter();
  const symbols = new SymbolWriter();
  for (const [bytes, check] of [
    [1_000_000, assert.doesNotThrow],
    [1_100_000, (use: () => void) => assert.throws(use, tooLarge)],
  ] as const) {
    check(() => canonical.resourceSymbol(undefined, textOf(bytes).bytes));
    check(() => canonical.scopeSymbol(undefined, textOf(bytes).bytes));
    check(() => symbols.scope(textOf(bytes), textOf(0)));
    check(() => {
      symbols.beginResource();
      symbols.textAttribute(textOf(1), textOf(bytes));
      symbols.endResource();
    });
  }
  const mended = new Uint8Array(500_000).fill(0xff);
  assert.throws(() => canonical.scopeSymbol(undefined, mended), tooLarge);
  // Fields that the specification does not know, so that nothing of it is kept, are no way around.
  assert.throws(() => canonical.resourceSymbol(new Uint8Array(2_000_000), EMPTY), tooLarge);
});
