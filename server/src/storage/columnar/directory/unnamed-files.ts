// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { parseTenant, type Tenant } from '@spoor/core/model/ids.ts';
import { blockPath, TENANTS_DIR } from '../block/block-path.ts';
import { fileErrorCode, type StoreFiles } from '../files/store-files.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { inspectBlock } from './block-inspection.ts';

/** A file of a block that the manifest does not name. */
export interface UnnamedFile {
  readonly tenant: Tenant;
  readonly id: number;
  /** Its name as a block. */
  readonly path: string;
  /** Its name now. */
  readonly at: string;
  /** Whether the manifest was torn when it was found first. */
  readonly isTorn: boolean;
}

/** Ends of names that such files get until the log was read; what a torn manifest left is told apart. */
const LEFT = '.left';
const TORN = '.torn';

/** A name of such a file, or of a block. */
const BLOCK_NAME = /^\d{10,16}\.block(\.left|\.torn)?$/;

/** No store has given so many numbers: a file with a greater one is not of it. */
const MAX_BLOCK_ID = 2 ** 48;

/** The files of blocks in a data directory that the manifest does not name. */
export async function listUnnamed(
  files: StoreFiles,
  dir: string,
  manifest: Pick<Manifest, 'blocks' | 'cutBytes'>,
): Promise<UnnamedFile[]> {
  const root = join(dir, TENANTS_DIR);
  const found: UnnamedFile[] = [];
  for (const directory of await namesIn(files, root)) {
    // Whatever else stands here is not of this store.
    if (!isTenant(directory)) continue;
    const blocks = manifest.blocks(directory);
    const named = new Set(blocks.map(({ id }) => blockPath(dir, directory, id)));
    for (const file of await namesIn(files, join(root, directory))) {
      if (!BLOCK_NAME.test(file)) continue;
      const id = Number.parseInt(file, 10);
      const path = blockPath(dir, directory, id);
      const at = join(root, directory, file);
      if (named.has(path) || !at.startsWith(path) || id > MAX_BLOCK_ID) continue;
      const isTorn = manifest.cutBytes > 0 || file.endsWith(TORN);
      found.push({ tenant: directory, id, path, at, isTorn });
    }
  }
  return found;
}

/** The name that such a file has until the log was read. */
export function leftPath({ path, isTorn }: Pick<UnnamedFile, 'path' | 'isTorn'>): string {
  return path + (isTorn ? TORN : LEFT);
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
  for (const isTorn of [false, true]) {
    const at = leftPath({ path, isTorn });
    if ((await inspectBlock(files, at, sizeBytes)) === undefined) return at;
  }
  return undefined;
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
