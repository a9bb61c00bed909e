// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { OpenFiles } from './open-files.ts';
import { DISK_WORKER_FILES } from './worker-files.ts';
import { withDirectory } from '../testing/temporary-directory.ts';

/** Names of the files of a directory that this process has open. */
function openNames(dir: string): string[] {
  return readdirSync('/proc/self/fd')
    .map((descriptor) => {
      try {
        return readlinkSync(`/proc/self/fd/${descriptor}`);
      } catch {
        return '';
      }
    })
    .filter((path) => path.startsWith(dir))
    .map((path) => path.slice(dir.length + 1))
    .sort();
}

test('more files than may be open are read, and those used last stay open', (t) =>
  withDirectory((dir) => {
    if (process.platform !== 'linux') return t.skip('needs /proc');
    const names = ['a', 'b', 'c', 'd'];
    for (const name of names) writeFileSync(join(dir, name), `content of ${name}`);
    const files = new OpenFiles(DISK_WORKER_FILES, 2);
    const read = (name: string): string => {
      const path = join(dir, name);
      const bytes = Buffer.alloc(files.size(path) - 3);
      assert.equal(files.read(path, bytes, 3), bytes.length);
      return bytes.toString();
    };
    for (const name of [...names, 'c', 'a']) assert.equal(read(name), `tent of ${name}`);
    assert.deepEqual(openNames(dir), ['a', 'c']);
    files.close(join(dir, 'a'));
    files.close(join(dir, 'never opened'));
    assert.deepEqual(openNames(dir), ['c']);
    unlinkSync(join(dir, 'c'));
    assert.equal(read('c'), 'tent of c', 'what is open can be read though its name is gone');
    files.close(join(dir, 'c'));
    assert.throws(() => read('c'), /ENOENT/);
    assert.deepEqual(openNames(dir), []);
  }));
