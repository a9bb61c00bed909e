// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import { readdir, rename, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { Logger } from '#telemetry/logger.ts';
import { blockPath, TENANTS_DIR } from './block-path.ts';
import type { Manifest } from './manifest.ts';
import { DISK_FILES } from './store-files.ts';

/** Makes a directory and its parents; the names of those that are new survive a power loss. */
export async function makeDataDirectory(dir: string): Promise<void> {
  const first = mkdirSync(dir, { recursive: true });
  if (first === undefined) return;
  let made = resolve(dir);
  await DISK_FILES.fsyncDir(dirname(made));
  while (made !== resolve(first)) {
    made = dirname(made);
    await DISK_FILES.fsyncDir(dirname(made));
  }
}

/**
 * A crash between writing a block and its commit, or between a commit and the removal of what it replaced, leaves a file that
 * nothing names; it is removed. Where something of the manifest was lost, such a file may have counted: it is kept under another
 * name.
 */
export async function tidyBlocks(
  dir: string,
  manifest: Manifest,
  logger: Pick<Logger, 'warn'>,
): Promise<void> {
  const root = join(dir, TENANTS_DIR);
  const isWhole = manifest.damage.length === 0 && manifest.cutBytes === 0 && !manifest.isNew;
  for (const entry of await readdir(root, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isDirectory()) continue;
    const directory = entry.name;
    // Only directories that this store made for a tenant are here; an unknown name has no blocks.
    const tenant = directory as Tenant;
    const named = new Set(manifest.blocks(tenant).map(({ id }) => blockPath(dir, tenant, id)));
    for (const file of await readdir(join(root, directory))) {
      const path = join(root, directory, file);
      if (!file.endsWith('.block') || named.has(path)) continue;
      if (isWhole) {
        await unlink(path);
      } else {
        logger.warn({ path }, 'the manifest does not name this block; it is set aside');
        await rename(path, `${path}.unnamed`);
      }
    }
  }
}
