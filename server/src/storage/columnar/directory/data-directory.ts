// SPDX-License-Identifier: Apache-2.0
import { basename, join } from 'node:path';
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import { inspectBlock } from './block-inspection.ts';
import { blockPath, TENANTS_DIR } from '../block/block-path.ts';
import type { DamageReport } from './damage-report.ts';
import { Manifest, MANIFEST_FILE } from '../manifest/manifest.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import { fileErrorCode, isOutOfSpace, type StoreFiles } from '../files/store-files.ts';
import type { WalReplay } from '../wal/wal-replay.ts';
import { checkSegmentFormats, segmentPath, WAL_DIR } from '../wal/wal-segment.ts';

/** Where a {@link DataDirectory} lies. */
export interface DataDirectoryOptions {
  readonly files: StoreFiles;
  /** Exists, and is locked. */
  readonly dir: string;
  readonly damage: DamageReport;
}

/**
 * What a start finds in a data directory. It is looked at before anything in it is touched; then what a crash left is cleared up, and
 * what is missing or damaged is told.
 */
export class DataDirectory {
  readonly manifest: Manifest;
  readonly walDir: string;
  readonly #files: StoreFiles;
  readonly #dir: string;
  readonly #damage: DamageReport;
  /** Blocks that the manifest does not name, under the names that they got. */
  readonly #unnamed: string[] = [];
  /** Ids of blocks that an earlier start left out. */
  readonly #knownAside: ReadonlySet<number>;
  /** Those of them that look whole from outside. */
  readonly #mayBeWhole: BlockEntry[] = [];

  private constructor({ files, dir, damage }: DataDirectoryOptions, manifest: Manifest) {
    this.manifest = manifest;
    this.walDir = join(dir, WAL_DIR);
    this.#files = files;
    this.#dir = dir;
    this.#damage = damage;
    this.#knownAside = new Set(manifest.setAside.keys());
  }

  /**
   * Looks at a directory. Blocks that are damaged as a whole are told.
   * @throws {SpoorError} corrupt for a newer format
   */
  static async read(options: DataDirectoryOptions): Promise<DataDirectory> {
    const manifest = await Manifest.read(options);
    const directory = new DataDirectory(options, manifest);
    try {
      await checkSegmentFormats(options.files, directory.walDir);
      await directory.#inspectBlocks();
      return directory;
    } catch (error) {
      await manifest.close();
      throw error;
    }
  }

  /** Makes the manifest ready for commits and clears up blocks that it does not name; to be called before any block is written. */
  async begin(): Promise<void> {
    await this.manifest.begin();
    for (const message of this.manifest.damage) this.#damage.add(this.#manifestPath, message);
    await this.#tidyBlocks();
  }

  /** Compares with what the log was found to hold; to be called before anything is appended to it. */
  async compareLog(replay: WalReplay): Promise<void> {
    await this.#missSegments(replay);
    this.#missEnd(replay);
    await this.#judgeUnnamed(replay.lastSequence);
  }

  /** Blocks that were left out before, and may be read again. */
  get mayBeWhole(): readonly BlockEntry[] {
    return this.#mayBeWhole;
  }

  get #manifestPath(): string {
    return join(this.#dir, MANIFEST_FILE);
  }

  async #inspectBlocks(): Promise<void> {
    for (const tenant of this.manifest.tenants()) {
      for (const block of this.manifest.blocks(tenant)) {
        const path = blockPath(this.#dir, tenant, block.id);
        const flaw = await inspectBlock(this.#files, path, block.sizeBytes);
        const before = this.manifest.setAside.get(block.id);
        if (flaw !== undefined) {
          const reason = `block ${path}: ${flaw.what}`;
          this.#damage.addBlock(block.id, path, reason, flaw.isReadError);
        } else if (before !== undefined) {
          this.#mayBeWhole.push(block);
          this.#damage.addBlock(block.id, path, before);
        }
      }
    }
  }

  /**
   * A crash between writing a block and its commit, or between a commit and the removal of what it replaced, leaves a file that
   * nothing names. It gets another name, so that its number can be given again, until the log was read.
   */
  async #tidyBlocks(): Promise<void> {
    const root = join(this.#dir, TENANTS_DIR);
    for (const directory of await this.#namesIn(root)) {
      // Only directories that this store made for a tenant are here; an unknown name has no blocks.
      const tenant = directory as Tenant;
      const blocks = this.manifest.blocks(tenant);
      const named = new Set(blocks.map(({ id }) => blockPath(this.#dir, tenant, id)));
      for (const file of await this.#namesIn(join(root, directory))) {
        const path = join(root, directory, file);
        if (!file.endsWith('.block') || named.has(path)) continue;
        this.#unnamed.push(`${path}.unnamed`);
        await this.#files.rename(path, `${path}.unnamed`);
      }
    }
  }

  /** Tells of segments that should be there and are not, and notes those that are there. */
  async #missSegments({ segments, unused }: WalReplay): Promise<void> {
    const { manifest } = this;
    const present = new Set([...segments, ...unused].map(({ id }) => id));
    const missing = [...manifest.segments].filter((id) => !present.has(id));
    const unknown = [...present].filter((id) => !manifest.segments.has(id));
    if (missing.length + unknown.length === 0) return;
    for (const id of missing) {
      const path = segmentPath(this.walDir, id);
      this.#damage.add(
        path,
        `write-ahead log: ${basename(path)} is missing; what it held of spans that are in no block is lost`,
      );
    }
    try {
      await manifest.commit({ addSegments: unknown, removeSegments: missing });
    } catch (error) {
      // On a full disk it is noted at the next start.
      if (!isOutOfSpace(error)) throw error;
    }
  }

  /** Tells of records at the end of the log that cannot be read, though the store was shut down in good order after them. */
  #missEnd({ segments, unused, lastSequence }: WalReplay): void {
    const { logEnd, walUpto } = this.manifest;
    const readUpto = Math.max(lastSequence, walUpto);
    if (readUpto >= logEnd) return;
    // They were at the end of the last segment that can be read, or in the next, which looks as if it had never been used.
    const last = segments.at(-1);
    const next = unused.find(({ id }) => last === undefined || id > last.id);
    const paths = [last, next].flatMap((segment) => segment?.path ?? []);
    this.#damage.add(
      paths[0] ?? this.walDir,
      `write-ahead log: ${paths.map((path) => basename(path)).join(' or ')} is damaged at its end: records ${readUpto + 1} to ${logEnd} are lost`,
    );
  }

  /**
   * Blocks that the manifest does not name are superfluous when all that they can hold is there: what was to be sealed in the log,
   * what was to be merged in its blocks. Otherwise it was no crash that left them, and they may have counted: they are kept.
   */
  async #judgeUnnamed(lastSequence: number): Promise<void> {
    if (this.#unnamed.length === 0) return;
    const { cutBytes, isNew, walUpto } = this.manifest;
    const isTorn = cutBytes > 0;
    if (!this.#isNewlyDamaged && !isNew && (!isTorn || lastSequence >= walUpto)) {
      for (const path of this.#unnamed) await this.#files.unlink(path);
      return;
    }
    const path = this.#manifestPath;
    if (this.manifest.damage.length === 0) {
      const wrong = isNew
        ? 'it is missing'
        : isTorn
          ? `its last ${cutBytes} bytes are damaged`
          : 'records may be missing at its end';
      this.#damage.add(path, `manifest ${path}: ${wrong}`);
    }
    for (const block of this.#unnamed) {
      this.#damage.add(
        block,
        'the manifest does not name this block, which may have counted; it is set aside',
      );
    }
  }

  /** Whether there is more damage than blocks that were left out already when the last process ended. */
  get #isNewlyDamaged(): boolean {
    const { blocks, files } = this.#damage;
    return files > blocks.size || [...blocks.keys()].some((id) => !this.#knownAside.has(id));
  }

  /** Names in a directory; none when there is no such directory. */
  async #namesIn(path: string): Promise<string[]> {
    try {
      return await this.#files.readdir(path);
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(fileErrorCode(error))) return [];
      throw error;
    }
  }
}

/** Why a directory cannot be used. */
export function directoryError(dir: string, cause: unknown): SpoorError {
  return new SpoorError('unavailable', `data directory ${dir}: ${messageOf(cause)}`, { cause });
}
