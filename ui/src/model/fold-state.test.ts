// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFold, isFolded, parseFold, setFolded } from './fold-state.ts';

test('collapsed spans are listed, and after "all" the expanded ones', () => {
  const some = setFolded(parseFold(''), ['a', 'b'], true);
  assert.equal(formatFold(some), 'a,b');
  assert.ok(isFolded(some, 'a') && !isFolded(some, 'c'));
  assert.equal(formatFold(setFolded(some, ['a', 'b'], false)), '');

  const most = setFolded(parseFold('all'), ['root'], false);
  assert.equal(formatFold(most), 'all,root');
  assert.ok(!isFolded(most, 'root') && isFolded(most, 'a'));
  assert.deepEqual(parseFold(formatFold(most)), most);
});
