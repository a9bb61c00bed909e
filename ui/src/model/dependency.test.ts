// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DEPENDENCY_COLUMNS,
  decodeDependencies,
  formatDependencySort,
  nextDependencySort,
  parseDependencySort,
  sortDependencies,
} from './dependency.ts';

const ANSWER = [
  {
    parent: 'web',
    child: 'cart',
    callCount: 10,
    errorCount: 5,
    latencyMicros: { p50: 100, p95: 900, p99: 950 },
    kinds: ['call', 'messaging'],
    inferred: false,
  },
  {
    parent: 'cart',
    child: 'redis',
    callCount: 30,
    errorCount: 6,
    inferred: true,
    kinds: ['database'],
  },
  // As Jaeger answers.
  { parent: 'web', child: 'auth', callCount: 10 },
];

test('an answer is read with what only Spoor says, and without', () => {
  const [cart, redis, auth] = decodeDependencies(ANSWER, 'answer');
  assert.deepEqual(cart, {
    caller: 'web',
    callee: 'cart',
    kinds: ['call', 'messaging'],
    inferred: false,
    calls: 10,
    errors: 5,
    p50Us: 100,
    p95Us: 900,
  });
  assert.equal(redis?.inferred, true);
  assert.equal(redis.p95Us, undefined);
  assert.equal(auth?.errors, 0);
  assert.deepEqual(decodeDependencies(null, 'answer'), []);
  for (const wrong of [{}, 'x', [{ parent: 'a', child: 'b' }], [null]]) {
    assert.throws(() => decodeDependencies(wrong, '/api/x'), /\/api\/x is not a list of/);
  }
});

test('a list is sorted by any column, equal ones by name', () => {
  const list = decodeDependencies(ANSWER, 'answer');
  const order = (text: string): string =>
    sortDependencies(list, parseDependencySort(text))
      .map(({ callee }) => callee)
      .join(' ');
  assert.equal(order(''), 'redis auth cart');
  assert.equal(order('calls'), 'auth cart redis');
  assert.equal(order('-callee'), 'redis cart auth');
  assert.equal(order('-error_rate'), 'cart redis auth');
  assert.equal(order('-errors'), 'redis cart auth');
  assert.equal(order('-p95'), 'cart redis auth');
  assert.equal(order('kind'), 'auth cart redis');
});

test('an order survives the way through the URL, and the usual one leaves no trace there', () => {
  for (const column of DEPENDENCY_COLUMNS) {
    for (const descending of [true, false]) {
      assert.deepEqual(parseDependencySort(formatDependencySort({ column, descending })), {
        column,
        descending,
      });
    }
  }
  assert.equal(formatDependencySort(parseDependencySort('nonsense')), '');
});

test('a click sorts numbers from the largest and names from the first, the next one the other way round', () => {
  const calls = parseDependencySort('');
  assert.deepEqual(nextDependencySort(calls, 'calls'), { column: 'calls', descending: false });
  assert.deepEqual(nextDependencySort(calls, 'p95'), { column: 'p95', descending: true });
  assert.deepEqual(nextDependencySort(calls, 'caller'), { column: 'caller', descending: false });
});
