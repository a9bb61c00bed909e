// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { alignedWords } from '@spoor/core/model/column-arrays.ts';
import { countedReads } from '@spoor/core/model/testing/counted-reads.ts';
import { TraceNumbers } from './trace-numbers.ts';

/** Ids whose last word was picked so that all have one hash where nothing about the hash is secret. */
function idsOfOneHash(count: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(count * 4);
  for (let at = 0; at < words.length; at += 4) {
    words.set([at, Math.imul(at, 0x2545f491), at * 31], at);
    let hash = Math.imul(words[at]!, 0x9e3779b1) ^ words[at + 1]!;
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) ^ words[at + 2]!;
    words[at + 3] = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  }
  return words;
}

test('ids have numbers in the order in which they come, and keep them', () => {
  const ids = idsOfOneHash(500);
  const numbers = new TraceNumbers(1);
  assert.equal(numbers.find(ids, 0), -1);
  for (let round = 0; round < 2; round++) {
    for (let number = 0; number < 500; number++) {
      assert.equal(numbers.add(ids, number * 4), number);
    }
  }
  assert.equal(numbers.find(ids, 499 * 4), 499);
  assert.equal(numbers.find(ids.toReversed(), 0), -1);
  assert.deepEqual(numbers.words, ids);
});

test('ids picked to have one hash are found in few steps', () => {
  const count = 2000;
  const ids = countedReads(idsOfOneHash(count));
  const numbers = new TraceNumbers();
  for (let number = 0; number < count; number++) numbers.add(ids.values, number * 4);
  for (let number = 0; number < count; number++) {
    assert.equal(numbers.find(ids.values, number * 4), number);
  }
  assert.ok(ids.reads < count * 50, `${ids.reads} words read of ${count} ids`);
});

test('a number that was taken back is given again, and all others are found', () => {
  const ids = idsOfOneHash(40);
  const step = fc.record({ id: fc.nat(39), isAdded: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const numbers = new TraceNumbers(1);
      const known = new Map<number, number>();
      let most = 0;
      for (const { id, isAdded } of steps) {
        if (isAdded) {
          const number = numbers.add(ids, id * 4);
          if (known.has(id)) assert.equal(number, known.get(id));
          else assert.ok(![...known.values()].includes(number));
          known.set(id, number);
        } else if (known.has(id)) {
          numbers.remove(known.get(id)!);
          known.delete(id);
        }
        most = Math.max(most, known.size);
        for (let one = 0; one < 40; one++) {
          assert.equal(numbers.find(ids, one * 4), known.get(one) ?? -1);
        }
        assert.equal(numbers.count, most);
      }
    }),
  );
});

test('ids are compared by their bytes', () => {
  const id = fc.uint8Array({ minLength: 16, maxLength: 16, max: 2 });
  fc.assert(
    fc.property(id, id, fc.nat({ max: 255 }), (a, b, last) => {
      a[15] = last;
      const numbers = new TraceNumbers();
      const [first, second] = [a, b].map((bytes) => numbers.add(alignedWords(bytes), 0));
      assert.equal(Math.sign(numbers.compare(first!, second!)), Buffer.compare(a, b));
    }),
  );
});
