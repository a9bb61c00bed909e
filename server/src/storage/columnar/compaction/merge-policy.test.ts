// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseTenant, type Tenant } from '@spoor/core/model/ids.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import { inTurn, planMerge } from './merge-policy.ts';

const DAY_MS = 86_400_000;
const MAX_SPANS = 2_000_000;

interface Sketch {
  readonly level?: number;
  readonly spans?: number;
  readonly createdUnixMs?: number;
  readonly tenant?: string;
}

function blocks(sketches: readonly Sketch[]): BlockEntry[] {
  return sketches.map(({ level = 0, spans = 100_000, createdUnixMs, tenant = 'a' }, i) => ({
    tenant: parseTenant(tenant),
    id: i + 1,
    level,
    spans,
    traces: 10,
    sizeBytes: spans * 30,
    minStartUnixNano: 0n,
    maxStartUnixNano: 5n,
    createdUnixMs: createdUnixMs ?? i,
    firstSequence: i,
    lastSequence: i,
  }));
}

function planned(
  some: readonly BlockEntry[],
  nowMs = 1000,
): { ids: number[]; level: number } | undefined {
  const plan = planMerge(some, nowMs);
  return plan && { ids: plan.blocks.map(({ id }) => id), level: plan.level };
}

test('eight sealed blocks of one tenant and day make one of level 1, the oldest first', () => {
  const seven: Sketch[] = Array.from({ length: 7 }, () => ({}));
  assert.equal(planned(blocks(seven)), undefined);
  assert.equal(planned(blocks([...seven, { tenant: 'b' }])), undefined);
  assert.equal(planned(blocks([...seven, { level: 1 }])), undefined);
  assert.equal(planned(blocks([...seven, { createdUnixMs: DAY_MS }])), undefined);
  const ten = [{ createdUnixMs: 500 }, ...seven, { createdUnixMs: 600 }];
  assert.deepEqual(planned(blocks(ten)), { ids: [2, 3, 4, 5, 6, 7, 8, 1], level: 1 });
});

test('blocks of level 1 wait until the next one would be too much for one block, if four become one', () => {
  const sized = (spans: number, count: number): Sketch[] =>
    Array.from({ length: count }, () => ({ level: 1, spans }));
  assert.equal(planned(blocks(sized(450_000, 4))), undefined);
  assert.deepEqual(planned(blocks(sized(450_000, 5))), { ids: [1, 2, 3, 4], level: 2 });
  assert.equal(planned(blocks(sized(900_000, 9))), undefined);
  assert.equal(planned(blocks(sized(100, 15))), undefined);
  assert.equal(planned(blocks(sized(100, 16)))?.ids.length, 16);
});

test('when a day is over, what is left of it becomes as few blocks as fit, unless that is hardly fewer', () => {
  const day = blocks([{}, { level: 1 }, {}, {}, { level: 2 }, { createdUnixMs: DAY_MS + 5 }]);
  assert.equal(planned(day, DAY_MS + 1), undefined);
  assert.deepEqual(planned(day, DAY_MS + 600_000), { ids: [1, 2, 3, 4], level: 2 });
  assert.deepEqual(planned(blocks([{}, {}]), Infinity), { ids: [1, 2], level: 2 });
  assert.equal(planned(blocks([{ spans: 200_000 }, {}]), Infinity), undefined);
  assert.equal(planned(blocks([{}, { level: 2 }]), Infinity), undefined);
});

test('no block becomes more than an eighth of what is kept of its tenant', () => {
  // 3 MB each.
  const eight = blocks(Array.from({ length: 9 }, () => ({})));
  const merged = (keptMb: number, nowMs = 1000): number | undefined =>
    planMerge(eight, nowMs, { keptBytes: () => keptMb * 1e6 })?.blocks.length;
  assert.equal(merged(200), 8);
  assert.equal(merged(24 * 8 - 1), 7, 'where the next one is too much, fewer go together');
  assert.equal(merged(96), 4);
  assert.equal(merged(95), undefined);
  assert.equal(merged(1), undefined);
  assert.equal(merged(100, Infinity), 4);
  assert.equal(merged(16, Infinity), undefined);
  const few = blocks([{ tenant: 'b' }, ...Array.from({ length: 8 }, () => ({}))]);
  const plan = planMerge(few, 1000, { keptBytes: (tenant) => (tenant === 'b' ? 1 : Infinity) });
  assert.equal(plan?.blocks.length, 8);
});

test('tenants are merged in turn, also when all of them always have enough blocks', () => {
  const names = ['a', 'b', 'c'];
  let last: Tenant | undefined;
  const order = Array.from({ length: 7 }, () => {
    const some = names.flatMap((tenant) => blocks(Array.from({ length: 8 }, () => ({ tenant }))));
    last = planMerge(inTurn(some, last), 1000)!.blocks[0]!.tenant;
    return last;
  });
  assert.deepEqual(order, ['a', 'b', 'c', 'a', 'b', 'c', 'a']);
  assert.deepEqual(
    inTurn(blocks([{ tenant: 'a' }]), parseTenant('gone')),
    blocks([{ tenant: 'a' }]),
  );
});

test('merging ends, writes no span more than twice, and keeps tenants, days and sizes', () => {
  const sketch = fc.record({
    level: fc.constantFrom(0, 0, 0, 1),
    spans: fc.constantFrom(10, 100_000, 700_000, 3_000_000),
    createdUnixMs: fc.constantFrom(1, 2, DAY_MS + 1),
    tenant: fc.constantFrom('a', 'b'),
  });
  fc.assert(
    fc.property(
      fc.array(sketch, { maxLength: 40 }),
      fc.constantFrom(5, DAY_MS * 2, Infinity),
      (sketches, nowMs) => {
        let some = blocks(sketches);
        let nextId = 1000;
        for (let plan = planMerge(some, nowMs); plan; plan = planMerge(some, nowMs)) {
          const { blocks: merged, level } = plan;
          assert.ok(merged.length > 1 && merged.length <= 16);
          assert.ok(merged.every((block) => block.level < level && level <= 2));
          assert.equal(new Set(merged.map(({ tenant }) => tenant)).size, 1);
          const days = merged.map(({ createdUnixMs }) => Math.floor(createdUnixMs / DAY_MS));
          assert.equal(new Set(days).size, 1);
          const spans = merged.reduce((sum, block) => sum + block.spans, 0);
          assert.ok(spans <= MAX_SPANS);
          const createdUnixMs = Math.max(...merged.map((block) => block.createdUnixMs));
          some = some.filter((block) => !merged.includes(block));
          some.push({ ...merged[0]!, id: nextId++, level, spans, createdUnixMs });
        }
      },
    ),
  );
});
