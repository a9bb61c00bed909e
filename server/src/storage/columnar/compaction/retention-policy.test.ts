// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTenant } from '@spoor/core/model/ids.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import { expiredBlocks, expiredSpans, type RetentionPolicy } from './retention-policy.ts';

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

function expired(policy: RetentionPolicy, nowMs: number): number[] {
  return expiredBlocks(BLOCKS, policy, nowMs).map(({ id }) => id);
}

test('without limits nothing expires', () => {
  assert.deepEqual(expired({}, 1e15), []);
});

test('a block goes when it is as old as the limit, by the tenant, or else by the store', () => {
  assert.deepEqual(expired({ maxAgeMs: 100 }, 1099), []);
  assert.deepEqual(expired({ maxAgeMs: 100 }, 1100), [1]);
  assert.deepEqual(expired({ maxAgeMs: 100 }, 1200), [1, 2, 6]);
  const tenants = new Map([[parseTenant('b'), { maxAgeMs: 1000 }]]);
  assert.deepEqual(expired({ maxAgeMs: 100, tenants }, 1300), [1, 5]);
  assert.deepEqual(expired({ tenants }, 2050), [6]);
});

test('beyond a size the oldest blocks go, of the tenant that has the limit, or of all', () => {
  assert.deepEqual(expired({ maxBytes: 140 }, 2000), []);
  assert.deepEqual(expired({ maxBytes: 139 }, 2000), [1]);
  assert.deepEqual(expired({ maxBytes: 50 }, 2000), [1, 6]);
  assert.deepEqual(expired({ maxBytes: 0 }, 2000), [1, 2, 6], 'the newest stays');
  const tenants = new Map([[parseTenant('b'), { maxBytes: 69 }]]);
  assert.deepEqual(expired({ tenants }, 2000), [6]);
  assert.deepEqual(expired({ tenants, maxBytes: 50 }, 2000), [1, 6]);
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
  const gone = expiredBlocks(blocks, { tenants: limits }, 500);
  assert.deepEqual(
    gone.map(({ id }) => id),
    tenants.map((_, t) => t * 10 + 1),
  );
  assert.ok(looks < blocks.length * 10, `${looks} looks at ${blocks.length} blocks`);
});

test('what has expired by age does not count towards the size', () => {
  assert.deepEqual(expired({ maxAgeMs: 1000, maxBytes: 90 }, 2000), [1]);
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
  assert.deepEqual(expired(policy, 1499), [2, 6]);
  assert.deepEqual(expired(policy, 1500), [1, 2, 6]);
  assert.deepEqual(expiredSpans(ofB!, policy, 1150), noisy);
});
