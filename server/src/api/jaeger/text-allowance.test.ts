// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TextAllowance } from './text-allowance.ts';

test('long texts are not kept, and take nothing from short ones', () => {
  const allowance = new TextAllowance();
  for (let i = 0; i < 10_000; i++) assert.ok(!allowance.takes(50_000));
  assert.ok(!allowance.takes(257));
  assert.ok(allowance.takes(256));
});

test('short texts are kept up to 2 MiB with what each takes by itself', () => {
  for (const characters of [0, 256]) {
    const allowance = new TextAllowance();
    let kept = 0;
    while (allowance.takes(characters)) kept++;
    assert.equal(kept, Math.floor((2 << 20) / (64 + characters * 2)));
  }
});
