// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getHeapStatistics } from 'node:v8';
import { ReadGarbage } from './read-garbage.ts';

const MIB = 1 << 20;
const READ_BYTES = 64 << 10;

test('buffers that nobody holds do not pile up', () => {
  const garbage = new ReadGarbage();
  const external = (): number => getHeapStatistics().external_memory;
  const before = external();
  let most = 0;
  for (let i = 0; i < 4096; i++) {
    garbage.look();
    Buffer.allocUnsafeSlow(READ_BYTES);
    most = Math.max(most, external() - before);
  }
  // V8 alone lets over 64 MiB of these 256 be there at once. They are freed by another thread, which may be late.
  assert.ok(most < 48 * MIB, `${most} bytes`);
});

test('what lives is not collected for again and again', () => {
  let bytes = 100 * MIB;
  let collections = 0;
  const garbage = new ReadGarbage({ externalBytes: () => bytes, collect: () => collections++ });
  garbage.look();
  bytes += 9 * MIB;
  for (let i = 0; i < 100; i++) garbage.look();
  assert.equal(collections, 1);
  bytes += 7 * MIB;
  garbage.look();
  assert.equal(collections, 1);
  // What went makes room for as much again.
  bytes -= 10 * MIB;
  garbage.look();
  bytes += 9 * MIB;
  garbage.look();
  assert.equal(collections, 2);
});
