// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { TENANTS_DIR } from '../block/block-path.ts';
import { MANIFEST_FILE } from '../manifest/manifest.ts';
import { MANIFEST_MAGIC } from '../manifest/manifest-log.ts';
import { WAL_DIR } from '../wal/wal-segment.ts';

/** Names of files that Badger makes; it has a `MANIFEST` and a `LOCK` too, of other kinds. */
const BADGER_FILE = /^(?:KEYREGISTRY|\d+\.(?:vlog|sst|mem))$/;
const BADGER_MAGIC = 'Bdgr';

/** What of another program lies in a directory, in words, or undefined when nothing shows any. Touches nothing. */
export function foreignStore(dir: string): string | undefined {
  let names: string[];
  let magic: Buffer = Buffer.from(MANIFEST_MAGIC);
  try {
    names = readdirSync(dir);
    if (names.includes(MANIFEST_FILE)) {
      magic = startOf(join(dir, MANIFEST_FILE), MANIFEST_MAGIC.length);
    }
  } catch {
    // Who uses the directory next says what is wrong with it.
    return undefined;
  }
  if (magic.indexOf(BADGER_MAGIC) === 0 || names.some((name) => BADGER_FILE.test(name))) {
    return 'it holds a Badger store, such as that of Jaeger';
  }
  // A manifest of ours that is damaged has beside it what it is about.
  const isOurs =
    magic.equals(MANIFEST_MAGIC) || names.includes(WAL_DIR) || names.includes(TENANTS_DIR);
  return isOurs ? undefined : `its ${MANIFEST_FILE} is not one of Spoor`;
}

/** The first bytes of a file; fewer when it is shorter. */
function startOf(path: string, length: number): Buffer {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, 0));
  } finally {
    closeSync(fd);
  }
}
