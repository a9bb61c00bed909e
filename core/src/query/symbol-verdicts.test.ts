// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PagedValues } from '#model/span-columns.ts';
import { SymbolInterner } from '#model/symbol-interner.ts';
import { encodeText } from '#model/utf8.ts';
import { SymbolVerdicts } from './symbol-verdicts.ts';

function add(table: SymbolInterner, text: string): void {
  const bytes = encodeText(text);
  table.intern(bytes, 0, bytes.length);
}

test('an entry is tested once, and a table that grew is looked at again', () => {
  let tests = 0;
  const verdicts = new SymbolVerdicts((bytes, start) => {
    tests++;
    return bytes[start] === 97;
  });
  const table = new SymbolInterner();
  for (const text of ['a1', 'b1', 'a2']) add(table, text);
  assert.deepEqual([...verdicts.of(table).passes], [1, 0, 1]);
  assert.equal(verdicts.of(table).passing, 2);
  assert.equal(tests, 3);
  add(table, 'a3');
  assert.deepEqual([...verdicts.of(table).passes], [1, 0, 1, 1]);
});

test('by content, a symbol that many tables repeat is tested once', () => {
  let tests = 0;
  const verdicts = new SymbolVerdicts(() => ++tests > 0, { byContent: true });
  for (let i = 0; i < 10; i++) {
    const table = new SymbolInterner();
    for (const text of ['x', 'y']) add(table, text);
    assert.equal(verdicts.of(table).passing, 2);
  }
  assert.equal(tests, 2);
});

const NOTHING_KNOWN = { only: undefined, part: undefined };

function tableOf(texts: readonly string[]): SymbolInterner {
  const table = new SymbolInterner();
  for (const text of texts) add(table, text);
  return table;
}

function pagesOf(...pages: string[][]): PagedValues {
  const texts = pages.flat();
  return {
    count: texts.length,
    pages: () => pages.map(tableOf),
    *pagesWith(part) {
      let first = 0;
      for (const page of pages) {
        const entries = [...page.keys()].filter((i) => Buffer.from(page[i]!).includes(part));
        yield { first, table: tableOf(page), entries };
        first += page.length;
      }
    },
    find: (value) => texts.indexOf(Buffer.from(value).toString()),
  };
}

test('pages are tested one after the other, once', () => {
  let tests = 0;
  let checkpoints = 0;
  const verdicts = new SymbolVerdicts((bytes, start) => {
    tests++;
    return bytes[start] === 97;
  });
  const values = pagesOf(['a1', 'b1'], ['a2'], ['c1', 'c2']);
  for (let i = 0; i < 2; i++) {
    const { count, passes, passing } = verdicts.ofPages(values, NOTHING_KNOWN, () => checkpoints++);
    assert.deepEqual([count, [...passes], passing], [5, [1, 0, 1, 0, 0], 2]);
  }
  assert.deepEqual([tests, checkpoints], [5, 3]);
});

test('where only one value may pass, no other is looked at', () => {
  const verdicts = new SymbolVerdicts(() => assert.fail());
  const none = (): void => undefined;
  const only = (text: string) => ({ only: encodeText(text), part: undefined });
  const { passes, passing } = verdicts.ofPages(pagesOf(['a'], ['b']), only('b'), none);
  assert.deepEqual([[...passes], passing], [[0, 1], 1]);
  assert.equal(verdicts.ofPages(pagesOf(['a'], ['b']), only('c'), none).passing, 0);
});

test('where passing values have some bytes in them, the others are not looked at', () => {
  const tested: string[] = [];
  let checkpoints = 0;
  const verdicts = new SymbolVerdicts((bytes, start, end) => {
    tested.push(Buffer.from(bytes.subarray(start, end)).toString());
    return bytes[end - 1] === 49;
  });
  const values = pagesOf(['xa1', 'xb1', 'a'], [], ['a2', 'b2'], ['ya1']);
  const part = { only: undefined, part: encodeText('a') };
  for (let i = 0; i < 2; i++) {
    const { count, passes, passing } = verdicts.ofPages(values, part, () => checkpoints++);
    assert.deepEqual([count, [...passes], passing], [6, [1, 0, 0, 0, 0, 1], 2]);
  }
  assert.deepEqual(tested, ['xa1', 'a', 'a2', 'ya1']);
  assert.equal(checkpoints, 4);
});

test('where no value can have what those that pass have in them, no page is looked at', () => {
  const verdicts = new SymbolVerdicts((bytes, start) => bytes[start] === 97);
  const known = { ...NOTHING_KNOWN, parts: [encodeText('abc'), encodeText('d')] };
  const asked: unknown[] = [];
  const values = (mayHave: boolean): PagedValues => ({
    ...pagesOf(['a'], ['b']),
    ...(!mayHave && { pages: () => assert.fail() }),
    mayHaveInside: (parts) => (asked.push(parts), mayHave),
  });
  const passing = (paged: PagedValues): number =>
    verdicts.ofPages(paged, known, () => undefined).passing;
  const [none, some] = [values(false), values(true)];
  assert.deepEqual([passing(none), passing(none), passing(some)], [0, 0, 1]);
  assert.deepEqual(asked, [known.parts, known.parts]);
});

test('work on many pages ends when nobody waits for it, and leaves nothing behind', () => {
  const verdicts = new SymbolVerdicts(() => true);
  const values = pagesOf(['a'], ['b'], ['c']);
  let pages = 0;
  const leave = (): void => {
    if (++pages === 2) throw new Error('left');
  };
  assert.throws(() => verdicts.ofPages(values, NOTHING_KNOWN, leave), /left/);
  assert.equal(verdicts.ofPages(values, NOTHING_KNOWN, () => undefined).passing, 3);
});
