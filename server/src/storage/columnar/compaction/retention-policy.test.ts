// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTenant } from '@spoor/core/model/ids.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import {
  blocksBeyondSize,
  blocksPastAge,
  expiredSpans,
  type RetentionPolicy,
} from './retention-policy.ts';

function block(id: number, tenant: string, createdUnixMs: number, sizeBytes: number): BlockEntry {
  return {
    tenant: parseTenant(tenant),
    id,
    level: 0,
    spans: 10,
    traces: 2,
    sizeBytes,
    minStartUnixNano: 0n,
    maxStartUnixNano: 5n,
    createdUnixMs,
    firstSequence: id,
    lastSequence: id,
  };
}

const BLOCKS = [
  block(1, 'a', 1000, 50),
  block(2, 'b', 1100, 30),
  block(5, 'a', 1200, 20),
  // Merged of older ones: its id says nothing about its age.
  block(6, 'b', 1050, 40),
];

function pastAge(policy: RetentionPolicy, nowMs: number): number[] {
  return blocksPastAge(BLOCKS, policy, nowMs).map(({ id }) => id);
}

function beyondSize(policy: RetentionPolicy): number[] {
  return blocksBeyondSize(BLOCKS, policy).map(({ id }) => id);
}

test('without limits nothing expires', () => {
  assert.deepEqual(pastAge({}, 1e15), []);
  assert.deepEqual(beyondSize({}), []);
});

test('a block goes when it is as old as the limit, by the tenant, or else by the store', () => {
  assert.deepEqual(pastAge({ maxAgeMs: 100 }, 1099), []);
  assert.deepEqual(pastAge({ maxAgeMs: 100 }, 1100), [1]);
  assert.deepEqual(pastAge({ maxAgeMs: 100 }, 1200), [1, 2, 6]);
  const tenants = new Map([[parseTenant('b'), { maxAgeMs: 1000 }]]);
  assert.deepEqual(pastAge({ maxAgeMs: 100, tenants }, 1300), [1, 5]);
  assert.deepEqual(pastAge({ tenants }, 2050), [6]);
});

test('beyond a size the oldest blocks go, of the tenant that has the limit, or of all', () => {
  assert.deepEqual(beyondSize({ maxBytes: 140 }), []);
  assert.deepEqual(beyondSize({ maxBytes: 139 }), [1]);
  assert.deepEqual(beyondSize({ maxBytes: 50 }), [1, 6]);
  assert.deepEqual(beyondSize({ maxBytes: 0 }), [1, 2, 6], 'the newest stays');
  const tenants = new Map([[parseTenant('b'), { maxBytes: 69 }]]);
  assert.deepEqual(beyondSize({ tenants }), [6]);
  assert.deepEqual(beyondSize({ tenants, maxBytes: 50 }), [1, 6]);
});

test('limits of very many tenants are kept without all blocks being looked through for each', () => {
  let looks = 0;
  const tenants = Array.from({ length: 200 }, (_, i) => parseTenant(`tenant${i}`));
  const blocks = tenants.flatMap((tenant, t) =>
    [1, 2, 3].map((id) => ({
      ...block(t * 10 + id, 'a', id, 50),
      get tenant() {
        looks++;
        return tenant;
      },
    })),
  );
  const limits = new Map(tenants.map((tenant) => [tenant, { maxBytes: 110, maxAgeMs: 1000 }]));
  const policy = { tenants: limits };
  const oldest = tenants.map((_, t) => t * 10 + 1);
  for (const gone of [blocksPastAge(blocks, policy, 1001), blocksBeyondSize(blocks, policy)]) {
    assert.deepEqual(
      gone.map(({ id }) => id),
      oldest,
    );
  }
  assert.ok(looks < blocks.length * 10, `${looks} looks at ${blocks.length} blocks`);
});

test('a service has an age of its own, longer or shorter than that of the others', () => {
  const isOf = (value: string) => ({
    op: 'eq',
    field: { kind: 'intrinsic', name: 'service' },
    value: { type: 'string', value },
  });
  const policy: RetentionPolicy = {
    maxAgeMs: 100,
    services: new Map([
      ['noisy', 10],
      ['audit', 500],
    ]),
    tenants: new Map([[parseTenant('b'), { services: new Map([['audit', 100]]) }]]),
  };
  const [ofA, ofB] = BLOCKS;
  const noisy = { op: 'or', args: [isOf('noisy')] };
  assert.equal(expiredSpans(ofA!, policy, 1009), undefined);
  assert.deepEqual(expiredSpans(ofA!, policy, 1010), noisy);
  const others = { op: 'not', arg: { op: 'or', args: [isOf('audit')] } };
  assert.deepEqual(expiredSpans(ofA!, policy, 1100), others);
  assert.deepEqual(pastAge(policy, 1499), [2, 6]);
  assert.deepEqual(pastAge(policy, 1500), [1, 2, 6]);
  assert.deepEqual(expiredSpans(ofB!, policy, 1150), noisy);
});
