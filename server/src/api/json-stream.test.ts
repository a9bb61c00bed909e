// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinPieces } from './json-stream.ts';
import { LoopTurns } from './loop-turns.ts';
import { JsonStyle } from './json-style.ts';

async function* partsOf(...parts: Iterable<string>[]): AsyncGenerator<Iterable<string>> {
  yield* parts;
}

test('pieces are joined into chunks in their order', async () => {
  const chunks: string[] = [];
  let told = 0;
  const piece = 'x'.repeat(70_000);
  const parts = partsOf(['a', piece, piece], [], ['', piece, 'z']);
  for await (const chunk of joinPieces(
    parts,
    new AbortController().signal,
    new LoopTurns(),
    () => told++,
  )) {
    chunks.push(chunk);
  }
  assert.equal(chunks.join(''), `a${piece}${piece}${piece}z`);
  assert.deepEqual(
    chunks.map((chunk) => chunk.length),
    [140_001, 70_001],
  );
  assert.equal(told, 2);
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
  assert.equal((await chunks.next()).value, 'xxxxx');
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
