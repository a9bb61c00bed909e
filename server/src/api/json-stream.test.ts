// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { joinPieces } from './json-stream.ts';
import { LoopTurns } from './loop-turns.ts';
import { JsonStyle } from './json-style.ts';

async function* partsOf(...parts: Iterable<string>[]): AsyncGenerator<Iterable<string>> {
  yield* parts;
}

async function chunksOf(...parts: Iterable<string>[]): Promise<{ chunks: Buffer[]; told: number }> {
  const chunks: Buffer[] = [];
  let told = 0;
  for await (const chunk of joinPieces(
    partsOf(...parts),
    new AbortController().signal,
    new LoopTurns(),
    () => told++,
  )) {
    chunks.push(chunk);
  }
  return { chunks, told };
}

test('pieces are joined into chunks in their order', async () => {
  const piece = 'x'.repeat(70_000);
  const { chunks, told } = await chunksOf(['a', piece, piece], [], ['', piece, 'z']);
  assert.equal(Buffer.concat(chunks).toString(), `a${piece}${piece}${piece}z`);
  assert.deepEqual(
    chunks.map((chunk) => chunk.length),
    [70_001, 70_000, 70_000, 1],
  );
  assert.equal(told, 4 + 3);
  assert.deepEqual(await chunksOf([], ['']), { chunks: [], told: 2 });
});

test('a part that gives little text is progress when it is made, before the next one begins', async () => {
  let told = 0;
  const toldBefore: number[] = [];
  async function* slowParts(): AsyncGenerator<Iterable<string>> {
    for (let i = 0; i < 3; i++) {
      toldBefore.push(told);
      yield ['', 'x'];
    }
  }
  const { signal } = new AbortController();
  const chunks = joinPieces(slowParts(), signal, new LoopTurns(), () => told++);
  assert.equal(String((await chunks.next()).value), 'xxx');
  assert.deepEqual(toldBefore, [0, 1, 2]);
});

test('small pieces fill chunks, whatever characters they have, and long ones stand alone', async () => {
  const repeated = fc.tuple(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom(1, 9, 300, 9000, 50_000),
  );
  const pieces = fc.array(
    repeated.map(([text, times]) => text.repeat(times).slice(0, 400_000).toWellFormed()),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { maxLength: 3 }), async (parts) => {
      const { chunks, told } = await chunksOf(...parts);
      const whole = parts.flat().join('');
      assert.equal(Buffer.concat(chunks).toString(), whole);
      assert.equal(told, parts.length + chunks.length);
      assert.ok(chunks.every(({ length }) => length > 0));
    }),
    { numRuns: 100 },
  );
  const { chunks } = await chunksOf(Array.from({ length: 1000 }, () => '€'.repeat(400)));
  assert.deepEqual(
    new Set(chunks.slice(0, -1).map(({ length }) => length > 100_000)),
    new Set([true]),
  );
  assert.ok(chunks.every(({ length }) => length <= 124 * 1024));
});

test('other work runs while a long answer is made', async () => {
  function* slow(): Generator<string> {
    for (let i = 0; i < 5; i++) {
      const end = performance.now() + 11;
      while (performance.now() < end);
      yield 'x';
    }
  }
  let turns = 0;
  const counting = setInterval(() => turns++, 1);
  const chunks = joinPieces(
    partsOf(slow()),
    new AbortController().signal,
    new LoopTurns(),
    () => undefined,
  );
  assert.equal(String((await chunks.next()).value), 'xxxxx');
  clearInterval(counting);
  assert.ok(turns >= 3, `${turns} turns of the event loop`);
});

test('the work ends when the signal fires, and what feeds it is told', async () => {
  const abort = new AbortController();
  let closed = false;
  function* endless(): Generator<string> {
    try {
      for (;;) yield 'x';
    } finally {
      closed = true;
    }
  }
  await assert.rejects(async () => {
    for await (const chunk of joinPieces(
      partsOf(endless()),
      abort.signal,
      new LoopTurns(),
      () => undefined,
    )) {
      assert.ok(chunk.length > 0);
      abort.abort(new Error('gone'));
    }
  }, /gone/);
  assert.ok(closed);
});

test('pieces in pretty style are what the whole would be', () => {
  const trace = { a: [{ b: 'x\n"', c: [] }, { d: [1, 2] }], e: {} };
  for (const style of [new JsonStyle(false), new JsonStyle(true)]) {
    const text =
      `{${style.line(1)}${style.name('a')}[` +
      trace.a.map((entry, i) => style.next(i === 0, 2) + style.value(entry, 2)).join('') +
      `${style.line(1)}],${style.line(1)}${style.name('e')}${style.value({}, 1)}${style.line(0)}}`;
    assert.equal(text, style.value(trace));
  }
});

test('prettyPrint is on for any value but false and nothing', () => {
  const pretty = (search: string): boolean =>
    JsonStyle.of(new URLSearchParams(search)).value([1]) !== '[1]';
  assert.deepEqual(
    ['', 'prettyPrint', 'prettyPrint=false', 'prettyPrint=true', 'prettyPrint=1'].map(pretty),
    [false, false, false, true, true],
  );
});
