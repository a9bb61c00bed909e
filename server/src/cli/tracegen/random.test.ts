// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from './random.ts';

test('the same seed gives the same numbers, another seed others', () => {
  const draw = (seed: number): number[] => {
    const random = new Random(seed);
    return Array.from({ length: 50 }, () => random.uint32());
  };
  assert.deepEqual(draw(7), draw(7));
  const seeds = [0, 1, 2, -1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1];
  assert.equal(new Set(seeds.map((seed) => draw(seed).join())).size, seeds.length);
});

test('numbers spread evenly over their range', () => {
  const random = new Random(3);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) counts[random.int(10)]!++;
  for (const count of counts) assert.ok(count > 9500 && count < 10_500, String(count));
  const between = new Set(Array.from({ length: 1000 }, () => random.between(3, 5)));
  assert.deepEqual(between, new Set([3, 4, 5]));
});

test('half of the log-normal numbers are below the median', () => {
  const random = new Random(4);
  let below = 0;
  for (let i = 0; i < 20_000; i++) if (random.logNormal(50, 0.8) < 50) below++;
  assert.ok(below > 9700 && below < 10_300, String(below));
});

test('UUIDs are of version 4', () => {
  const random = new Random(5);
  for (let i = 0; i < 100; i++) {
    assert.match(
      random.uuid(),
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  }
});
