// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetiredFiles } from './retired-files.ts';

test('a file goes when those who began to read before it was retired have ended, whoever came later', async () => {
  const removed: string[] = [];
  const files = new RetiredFiles(async (path) => {
    if (path === 'stuck') throw new Error('EPERM');
    removed.push(path);
  });
  files.retire(['a', 'stuck']);
  await files.settled();
  assert.deepEqual(removed, ['a']);

  const first = files.hold();
  files.retire(['b']);
  const second = files.hold();
  files.retire(['c', 'd']);
  const third = files.hold();
  assert.equal(files.waiting, 3);
  second();
  assert.equal(files.waiting, 3);
  first();
  await files.settled();
  assert.deepEqual(removed, ['a', 'b', 'c', 'd']);
  assert.equal(files.waiting, 0);
  third();
  files.retire(['e']);
  await files.settled();
  assert.deepEqual(removed.at(-1), 'e');
});
