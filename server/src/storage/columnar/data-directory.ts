// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { Logger } from '#telemetry/logger.ts';
import { inspectBlock } from './block-inspection.ts';
import { blockPath, TENANTS_DIR } from './block-path.ts';
import type { DamageReport } from './damage-report.ts';
import type { Manifest } from './manifest.ts';
import { fileErrorCode, type StoreFiles } from './store-files.ts';

/**
 * Looks at every block from outside, and touches nothing. What is damaged is left out from the first answer on.
 * @throws {SpoorError} corrupt for a newer format
 */
export async function inspectBlocks(
  files: StoreFiles,
  dir: string,
  manifest: Manifest,
  damage: DamageReport,
): Promise<void> {
  for (const tenant of manifest.tenants()) {
    for (const { id, sizeBytes } of manifest.blocks(tenant)) {
      const path = blockPath(dir, tenant, id);
      const wrong = await inspectBlock(files, path, sizeBytes);
      if (wrong !== undefined) damage.addBlock(id, path, `block ${path}: ${wrong}`);
    }
  }
}

/**
 * A crash between writing a block and its commit, or between a commit and the removal of what it replaced, leaves a file that
 * nothing names; it is removed. Where something of the manifest was lost, such a file may have counted: it is kept under another
 * name.
 */
export async function tidyBlocks(
  files: StoreFiles,
  dir: string,
  manifest: Manifest,
  logger: Pick<Logger, 'warn'>,
): Promise<void> {
  const root = join(dir, TENANTS_DIR);
  const isWhole = manifest.damage.length === 0 && manifest.cutBytes === 0 && !manifest.isNew;
  for (const directory of await namesIn(files, root)) {
    // Only directories that this store made for a tenant are here; an unknown name has no blocks.
    const tenant = directory as Tenant;
    const named = new Set(manifest.blocks(tenant).map(({ id }) => blockPath(dir, tenant, id)));
    for (const file of await namesIn(files, join(root, directory))) {
      const path = join(root, directory, file);
      if (!file.endsWith('.block') || named.has(path)) continue;
      if (isWhole) {
        await files.unlink(path);
      } else {
        logger.warn({ path }, 'the manifest does not name this block; it is set aside');
        await files.rename(path, `${path}.unnamed`);
      }
    }
  }
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
