// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DISK_FILES } from './disk-files.ts';

test('a directory is made with its parents, and the first that is new is told', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'spoor-'));
  const at = (...names: string[]): string => join(directory.path, ...names);
  assert.equal(await DISK_FILES.mkdir(at('a', 'b', 'c')), at('a'));
  assert.equal(await DISK_FILES.mkdir(at('a', 'b', 'c')), undefined);
  assert.equal(await DISK_FILES.mkdir(at('a', 'b', 'd')), at('a', 'b', 'd'));
  writeFileSync(at('file'), '');
  await assert.rejects(DISK_FILES.mkdir(at('file')), { code: 'EEXIST' });
  await assert.rejects(DISK_FILES.mkdir(at('file', 'a')), { code: 'ENOTDIR' });
});

const NO_PROC = existsSync('/proc/self') ? false : 'there is no /proc';

test(
  'where none can be made that is an error, and not a wait without end',
  { skip: NO_PROC },
  async () => {
    await assert.rejects(DISK_FILES.mkdir('/proc/spoor/a'), { code: 'ENOENT' });
  },
);
