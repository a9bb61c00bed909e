// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { writeSpans } from '#storage/testing/store-harness.ts';
import { blockPath } from './block/block-path.ts';
import { encodeManifestRecord } from './manifest/manifest-log.ts';
import { newerBlock, shopSpans } from './testing/block-fixture.ts';
import { storeOn, withStore } from './testing/store-fixture.ts';
import { withDirectory } from './testing/temporary-directory.ts';

/** Every file of a directory with its bytes; the lock, which nobody but SQLite may open, with its name alone. */
function contentOf(dir: string): Map<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true });
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const isRead = entry.isFile() && entry.name !== 'LOCK';
      return [path, isRead ? readFileSync(path).toString('latin1') : ''];
    }),
  );
}

/** Changes bytes of a file. */
function edit(path: string, change: (bytes: Buffer) => Buffer): void {
  writeFileSync(path, change(readFileSync(path)));
}

const NEWER: Record<string, (dir: string) => RegExp> = {
  manifest: (dir) => {
    edit(join(dir, 'MANIFEST'), (bytes) => {
      bytes.writeUInt32LE(2, 8);
      bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12);
      return bytes;
    });
    return /manifest .*: format 2 is newer than this version reads \(1\)/;
  },
  'edit of the manifest': (dir) => {
    edit(join(dir, 'MANIFEST'), (bytes) =>
      Buffer.concat([
        bytes.subarray(0, 16),
        encodeManifestRecord('[{"type":"from_the_future"}]', 0),
      ]),
    );
    return /change of type "from_the_future" is newer/;
  },
  log: (dir) => {
    const wal = join(dir, 'wal');
    edit(join(wal, readdirSync(wal).sort()[0]!), (bytes) => {
      bytes.writeUInt32LE(7, 8);
      bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
      return bytes;
    });
    return /write-ahead log .*: format 7 is newer than this version reads \(1\)/;
  },
  block: (dir) => {
    edit(blockPath(dir, DEFAULT_TENANT, 1), newerBlock);
    return /block .*0000000001\.block: format 4 is newer than 3/;
  },
};

for (const [part, makeNewer] of Object.entries(NEWER)) {
  test(`a directory with a newer ${part} is refused in words, and nothing in it is touched`, () =>
    withDirectory(async (dir) => {
      await withStore(dir, async (store) => {
        await writeSpans(store, shopSpans(30, 5));
        await store.settle();
        await writeSpans(store, shopSpans(9, 2, 2));
      });
      // What a start would clear up: a torn commit, a block before its commit, a segment being made.
      if (part !== 'edit of the manifest') appendFileSync(join(dir, 'MANIFEST'), 'SPM');
      mkdirSync(join(dir, 'tenants/other'));
      writeFileSync(join(dir, 'tenants/other/0000000009.block'), 'SPOOR');
      writeFileSync(join(dir, 'wal/0000000009.wal.tmp'), '');
      const message = makeNewer(dir);
      const before = contentOf(dir);
      const store = storeOn(dir);
      await assert.rejects(store.start(), (error) => {
        assert.ok(error instanceof SpoorError && error.code === 'corrupt', String(error));
        assert.match(error.message, message);
        return true;
      });
      await store.shutdown();
      assert.deepEqual(contentOf(dir), before);
    }));
}

test('a second store on a directory is refused in words, and nothing in it is touched', () =>
  withDirectory((dir) =>
    withStore(dir, async (store) => {
      await writeSpans(store, shopSpans(50, 5));
      await store.settle();
      const before = contentOf(dir);
      const second = storeOn(dir);
      await assert.rejects(second.start(), (error) => {
        assert.ok(error instanceof SpoorError && error.code === 'unavailable', String(error));
        assert.match(error.message, /another Spoor process uses it/);
        return true;
      });
      await second.shutdown();
      assert.deepEqual(contentOf(dir), before);
    }),
  ));

const FOREIGN: Record<string, { files: Record<string, string>; message: RegExp }> = {
  "Badger's manifest": {
    files: { MANIFEST: 'Bdgr\0\0\0\x08', LOCK: '4711\n' },
    message: /it holds a Badger store.*give Spoor a directory of its own/,
  },
  "Badger's values": {
    files: { '000001.vlog': 'values' },
    message: /it holds a Badger store/,
  },
  'a manifest of something else': {
    files: { MANIFEST: 'Manifest-Version: 1.0\n' },
    message: /its MANIFEST is not one of Spoor; give Spoor a directory of its own/,
  },
};

for (const [what, { files, message }] of Object.entries(FOREIGN)) {
  test(`a directory with ${what} is refused in words, and nothing in it is touched`, () =>
    withDirectory(async (dir) => {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
      const before = contentOf(dir);
      const store = storeOn(dir);
      await assert.rejects(store.start(), (error) => {
        assert.ok(error instanceof SpoorError && error.code === 'config', String(error));
        assert.match(error.message, message);
        return true;
      });
      await store.shutdown();
      assert.deepEqual(contentOf(dir), before);
      for (const [name, text] of Object.entries(files)) {
        assert.equal(readFileSync(join(dir, name), 'latin1'), text);
      }
    }));
}

test('a manifest of Spoor whose beginning is damaged is not taken for that of another program', () =>
  withDirectory(async (dir) => {
    await withStore(dir, (store) => writeSpans(store, shopSpans(30, 5)));
    edit(join(dir, 'MANIFEST'), (bytes) => bytes.fill(0, 0, 8));
    await withStore(dir, () => undefined);
    assert.ok(readdirSync(dir).includes('MANIFEST.damaged'));
  }));

test('a data directory that is a file, or lies below one, is refused in words', () =>
  withDirectory(async (dir) => {
    const file = join(dir, 'file');
    writeFileSync(file, 'x');
    await assert.rejects(storeOn(file).start(), {
      message: `data directory ${file}: there is a file of this name, which is no directory`,
    });
    const below = join(file, 'data');
    await assert.rejects(storeOn(below).start(), {
      message: `data directory ${below}: a part of its path is a file, and no directory`,
    });
  }));
