// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareCodePoints } from './code-point-order.ts';
import {
  mergeOperations,
  type Operation,
  packOperations,
  unpackOperations,
} from './operation-list.ts';

const NAMES = fc.oneof(fc.constantFrom('', 'a', 'b', '\ufeffa'), fc.string({ unit: 'binary' }));
const KINDS = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: -(2 ** 31) }));

/** Distinct, in order. */
function inOrder(operations: readonly Operation[]): Operation[] {
  const distinct = new Map(operations.map((one) => [`${one.kind} ${one.name}`, one]));
  return [...distinct.values()].sort(
    (a, b) => compareCodePoints(a.name, b.name) || a.kind - b.kind,
  );
}

const LISTS = fc
  .array(fc.record({ name: NAMES, kind: KINDS }, { noNullPrototype: true }), { maxLength: 30 })
  .map(inOrder);

test('operations are the same as columns', () => {
  fc.assert(
    fc.property(LISTS, (list) => {
      assert.deepEqual([...unpackOperations(packOperations(list))], list);
    }),
  );
});

test('a name with several kinds is in the columns once', () => {
  const { names } = packOperations([1, 2, 3].map((kind) => ({ name: 'same', kind })));
  assert.equal(names.bytes.length, 4);
});

test('lists are merged in their order, and what several have comes once', () => {
  fc.assert(
    fc.property(fc.array(LISTS, { maxLength: 6 }), (lists) => {
      assert.deepEqual([...mergeOperations(lists)], inOrder(lists.flat()));
    }),
  );
});

test('of merged lists no more is made than is asked for', () => {
  function* endless(step: number): Generator<Operation> {
    for (let kind = step; ; kind += step) yield { name: 'tick', kind };
  }
  const kinds: number[] = [];
  for (const { kind } of mergeOperations([endless(2), endless(3), endless(5)])) {
    if (kinds.push(kind) === 8) break;
  }
  assert.deepEqual(kinds, [2, 3, 4, 5, 6, 8, 9, 10]);
});
