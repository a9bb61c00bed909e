// SPDX-License-Identifier: Apache-2.0
import { dirname, join } from 'node:path';
import { parseTenant, type Tenant } from '@spoor/core/model/ids.ts';
import { blockPath, TENANTS_DIR } from '../block/block-path.ts';
import { fileErrorCode, type StoreFiles } from '../files/store-files.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { inspectBlock } from './block-inspection.ts';

/** A block that the manifest does not name. */
export interface UnnamedBlock {
  readonly tenant: Tenant;
  readonly id: number;
  /** Its name as a block. */
  readonly path: string;
  /** The names of its files now: of one, unless somebody put more there. */
  readonly files: readonly string[];
  /** Whether the manifest had lost something when it was found first. */
  readonly isTorn: boolean;
  /** Whether an earlier start found that it may have counted, and had no room to have it named. */
  readonly isWaiting: boolean;
}

/** Ends of names that such files get until the log was read; those beside a manifest that had lost something are told apart. */
const LEFT = '.left';
const TORN = '.torn';

/** End of the name of one that waits for room. */
const WAITING = '.waiting';

/** End of the name of a file that is set aside for good. */
const UNNAMED = '.unnamed';

/** A name of such a file, or of a block. */
const BLOCK_NAME = /^\d{10,16}\.block(\.left|\.torn|\.waiting)?$/;

/** No store has given so many numbers: a file with a greater one is not of it. */
const MAX_BLOCK_ID = 2 ** 48;

/**
 * The blocks in a data directory that the manifest does not name.
 * @returns them, and the paths of files that were set aside for good
 */
export async function listUnnamed(
  files: StoreFiles,
  dir: string,
  manifest: Pick<Manifest, 'blocks' | 'isIncomplete'>,
): Promise<{ readonly unnamed: readonly UnnamedBlock[]; readonly aside: Set<string> }> {
  const root = join(dir, TENANTS_DIR);
  const unnamed = new Map<string, UnnamedBlock>();
  const aside = new Set<string>();
  for (const directory of await namesIn(files, root)) {
    // Whatever else stands here is not of this store.
    if (!isTenant(directory)) continue;
    const blocks = manifest.blocks(directory);
    const named = new Set(blocks.map(({ id }) => blockPath(dir, directory, id)));
    for (const file of await namesIn(files, join(root, directory))) {
      const at = join(root, directory, file);
      if (file.includes(UNNAMED)) aside.add(at);
      if (!BLOCK_NAME.test(file)) continue;
      const id = Number.parseInt(file, 10);
      const path = blockPath(dir, directory, id);
      if (named.has(path) || !at.startsWith(path) || id > MAX_BLOCK_ID) continue;
      const before = unnamed.get(path);
      unnamed.set(path, {
        tenant: directory,
        id,
        path,
        files: [...(before?.files ?? []), at],
        isTorn: manifest.isIncomplete || before?.isTorn === true || file.endsWith(TORN),
        isWaiting: before?.isWaiting === true || file.endsWith(WAITING),
      });
    }
  }
  return { unnamed: [...unnamed.values()], aside };
}

/** The name that a file of such a block has until the log was read, or until there is room. */
export function leftPath({
  path,
  isTorn,
  isWaiting,
}: Pick<UnnamedBlock, 'path' | 'isTorn' | 'isWaiting'>): string {
  if (isWaiting) return path + WAITING;
  return path + (isTorn ? TORN : LEFT);
}

/**
 * A name for a file of a block that is set aside for good.
 * @param path its name as a block
 * @param taken paths that other files have
 */
export function asidePath(path: string, taken: ReadonlySet<string>): string {
  const first = path + UNNAMED;
  let aside = first;
  for (let number = 2; taken.has(aside); number++) aside = `${first}.${number}`;
  return aside;
}

/**
 * Where a block lies that the manifest named again when a crash came before the file had its name back.
 * @param path its name as a block
 * @returns undefined when nothing that is whole from outside lies there
 */
export async function findLeft(
  files: StoreFiles,
  path: string,
  sizeBytes: number,
): Promise<string | undefined> {
  for (const end of [LEFT, TORN, WAITING]) {
    const at = path + end;
    if ((await inspectBlock(files, at, sizeBytes)) === undefined) return at;
  }
  return undefined;
}

/** Sets aside what has the name of a block. */
export async function clearName(files: StoreFiles, path: string): Promise<void> {
  const dir = dirname(path);
  const paths = (await namesIn(files, dir)).map((name) => join(dir, name));
  await files.rename(path, asidePath(path, new Set(paths)));
}

/** Names in a directory; none when there is no such directory. */
async function namesIn(files: StoreFiles, path: string): Promise<string[]> {
  try {
    return await files.readdir(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(fileErrorCode(error))) return [];
    throw error;
  }
}

function isTenant(name: string): name is Tenant {
  try {
    return parseTenant(name) === name;
  } catch {
    return false;
  }
}
