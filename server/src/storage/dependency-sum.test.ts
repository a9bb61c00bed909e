// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { CountedEdges } from './counted.ts';
import { DEPENDENCY_LIMITS, type DependencyLimits, DependencySum } from './dependency-sum.ts';
import { packDependencies, unpackDependencies } from './dependency-table.ts';

const MINUTES = { fromMinute: 0, toMinute: 100 };

/** Texts of the services: their places. */
const TEXTS = Array.from({ length: 10 }, (_, place) => `${place}`);

/** Counts of calls of service 0 in minute 7, by others that sent spans and by as many that are inferred, one of latency 3 each. */
function counted(callees: number): CountedEdges {
  const keys = Array.from({ length: 2 * callees }, (_, key) => ({
    caller: 0,
    callee: 1 + (key % callees),
    kind: 0 as const,
    isInferred: key >= callees,
    isError: false,
  }));
  return {
    texts: TEXTS,
    keys,
    table: {
      minutes: Uint32Array.of(7),
      key: Uint32Array.from(keys.keys()),
      minute: new Uint32Array(keys.length),
      start: Uint32Array.from({ length: keys.length + 1 }, (_, s) => s),
      bucket: new Uint32Array(keys.length).fill(3),
      count: new Int32Array(keys.length).fill(1),
    },
  };
}

function refusal(limits: Partial<DependencyLimits>, noInferred = false): string | undefined {
  const sum = new DependencySum({ ...MINUTES, noInferred }, { ...DEPENDENCY_LIMITS, ...limits });
  try {
    // The same services again are no more of them.
    for (let i = 0; i < 3; i++) sum.add(counted(4));
    for (const totals of sum.totals()) sum.addTotals(totals);
  } catch (error) {
    assert.ok(error instanceof SpoorError && error.code === 'invalid_argument');
    return error.message;
  }
  const calls = sum.dependencies().map((one) => one.calls);
  assert.deepEqual(calls, Array(noInferred ? 4 : 8).fill(6));
  return undefined;
}

test('what is summed up for one answer is limited, and at the limit it is answered', () => {
  for (const [limit, count] of [
    ['edges', 8],
    ['nameLength', 16],
    ['room', 8 * 16],
  ] as const) {
    assert.equal(refusal({ [limit]: count }), undefined);
    const pattern = new RegExp(
      `^dependencies: more than ${count - 1} .*; ask without 'inferred', or with a shorter 'lookback'$`,
    );
    assert.match(refusal({ [limit]: count - 1 }) ?? '', pattern);
    assert.equal(refusal({ [limit]: count / 2 }, true), undefined);
    assert.match(
      refusal({ [limit]: count / 2 - 1 }, true) ?? '',
      /^dependencies: more than .*; ask with a shorter 'lookback'$/,
    );
  }
});

test('a table has what was packed', () => {
  for (const callees of [0, 1, 9]) {
    const sum = new DependencySum(MINUTES);
    if (callees > 0) sum.add(counted(callees));
    const all = sum.dependencies();
    assert.equal(all.length, 2 * callees);
    assert.deepEqual([...unpackDependencies(packDependencies(all))], all);
  }
});
