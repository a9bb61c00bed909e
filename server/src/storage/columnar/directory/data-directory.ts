// SPDX-License-Identifier: Apache-2.0
import { basename, join } from 'node:path';
import { blockPath } from '../block/block-path.ts';
import { isOutOfSpace, type StoreFiles } from '../files/store-files.ts';
import { Manifest, MANIFEST_FILE } from '../manifest/manifest.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import type { WalReplay } from '../wal/wal-replay.ts';
import {
  checkSegmentFormats,
  listLosses,
  noteMissing,
  segmentPath,
  WAL_DIR,
} from '../wal/wal-segment.ts';
import { inspectBlock } from './block-inspection.ts';
import type { DamageReport } from './damage-report.ts';
import { UnnamedBlocks } from './unnamed-blocks.ts';
import { clearName, findLeft } from './unnamed-files.ts';

/** Where a {@link DataDirectory} lies. */
export interface DataDirectoryOptions {
  readonly files: StoreFiles;
  /** Exists, and is locked. */
  readonly dir: string;
  readonly damage: DamageReport;
  readonly nowUnixMs: () => number;
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
  readonly #unnamed: UnnamedBlocks;
  /** Ids of blocks that an earlier start left out. */
  readonly #knownAside: ReadonlySet<number>;
  /** Blocks that the manifest names and that have no file. */
  readonly #missing: BlockEntry[] = [];
  /** Blocks that the manifest names and that have another name: it, their path, and whether something else has that. */
  readonly #misnamed: { at: string; path: string; isTaken: boolean }[] = [];
  /** Blocks that are left out and look whole from outside. */
  #mayBeWhole: BlockEntry[] = [];

  private constructor(options: DataDirectoryOptions, manifest: Manifest) {
    const { files, dir, damage } = options;
    this.manifest = manifest;
    this.walDir = join(dir, WAL_DIR);
    this.#files = files;
    this.#dir = dir;
    this.#damage = damage;
    this.#unnamed = new UnnamedBlocks({ ...options, manifest });
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
    const { manifest } = this;
    for (const { at, path, isTaken } of this.#misnamed) {
      if (isTaken) await clearName(this.#files, path);
      await this.#files.rename(at, path);
    }
    const naming = await this.#unnamed.find(this.#missing);
    // That something is lost shows nowhere else once it is cut off. What is read of a whole one must be durable before files go by it.
    const { isIncomplete } = manifest;
    if (isIncomplete) await this.#unnamed.setApart();
    // With the manifest that is made anew: a crash after that must not find files that nothing names any more.
    await manifest.begin(naming);
    if (!isIncomplete) await this.#unnamed.setApart();
    // What is gone by the naming is left out no more, and not told.
    for (const { id } of naming.removeBlocks) this.#damage.forgetBlock(id);
    for (const { id } of this.#missing) this.#damage.tellBlock(id);
    const manifestPath = join(this.#dir, MANIFEST_FILE);
    for (const message of manifest.damage) this.#damage.add(manifestPath, message);
    await this.#unnamed.takeOver();
    this.#mayBeWhole = [...this.#mayBeWhole, ...naming.addBlocks];
  }

  /** Compares with what the log was found to hold; to be called before anything is appended to it. */
  async compareLog(replay: WalReplay): Promise<void> {
    const before = await listLosses(this.#files, this.walDir);
    const missing = this.#missSegments(replay);
    // What a crash leaves was made of what the log had, now or once, or of other blocks: without any more is missing than shows.
    const { tenantCount, walUpto } = this.manifest;
    const isEmpty = replay.lastSequence === 0 && walUpto === 0 && tenantCount === 0;
    // Before the manifest forgets what is missing: a crash in between must not hide that something is.
    const named = await this.#unnamed.judge({
      isWhole: !this.manifest.isNew && !isEmpty && !this.#isNewlyDamaged,
      isLogWhole: replay.lastSequence > 0 && replay.lastSequence >= this.manifest.walUpto,
    });
    this.#mayBeWhole = [...this.#mayBeWhole, ...named];
    await this.#noteSegments(replay, missing);
    // Not before: what an earlier start told says nothing of a block that is found now.
    for (const { path, message } of before) this.#damage.add(path, message);
  }

  /** Blocks that are left out, and may be read again; each is given once. */
  takeMayBeWhole(): readonly BlockEntry[] {
    const blocks = this.#mayBeWhole;
    this.#mayBeWhole = [];
    return blocks;
  }

  /** Blocks that are left out since there was no room to have the manifest name them. */
  get waiting(): readonly BlockEntry[] {
    return this.#unnamed.waiting;
  }

  async #inspectBlocks(): Promise<void> {
    for (const tenant of this.manifest.tenants()) {
      for (const block of this.manifest.blocks(tenant)) {
        const path = blockPath(this.#dir, tenant, block.id);
        const flaw = await inspectBlock(this.#files, path, block.sizeBytes);
        const before = this.manifest.setAside.get(block.id);
        const aside = flaw && before && (await findLeft(this.#files, path, block.sizeBytes));
        if (aside !== undefined) {
          this.#misnamed.push({ at: aside, path, isTaken: flaw?.isMissing !== true });
        }
        if (before !== undefined && (flaw === undefined || aside !== undefined)) {
          this.#mayBeWhole.push(block);
          this.#damage.suspectBlock(block.id, path, before);
        } else if (flaw !== undefined) {
          const reason = `block ${path}: ${flaw.what}`;
          this.#damage.suspectBlock(block.id, path, reason, flaw.isReadError);
          if (flaw.isMissing === true) this.#missing.push(block);
          else this.#damage.tellBlock(block.id);
        }
      }
    }
  }

  /** Tells of segments that should be there and are not. @returns their ids */
  #missSegments({ segments, unused }: WalReplay): number[] {
    const present = new Set([...segments, ...unused].map(({ id }) => id));
    const missing = [...this.manifest.segments].filter((id) => !present.has(id));
    for (const id of missing) this.#damage.add(segmentPath(this.walDir, id), missingText(id));
    return missing;
  }

  /** Notes which segments there are, and which were missing. */
  async #noteSegments(
    { segments, unused }: WalReplay,
    removeSegments: readonly number[],
  ): Promise<void> {
    const { manifest } = this;
    const addSegments = [...segments, ...unused]
      .map(({ id }) => id)
      .filter((id) => !manifest.segments.has(id));
    if (removeSegments.length + addSegments.length === 0) return;
    try {
      // The manifest does not miss it any more then.
      for (const id of removeSegments) {
        await noteMissing(this.#files, segmentPath(this.walDir, id), missingText(id));
      }
      // A crash may have come before their names were durable.
      if (addSegments.length > 0) await this.#files.fsyncDir(this.walDir);
      await manifest.commit({ addSegments, removeSegments });
    } catch (error) {
      // On a full disk it is noted at the next start.
      if (!isOutOfSpace(error)) throw error;
    }
  }

  /** Whether there is more damage than blocks that were left out already when the last process ended. */
  get #isNewlyDamaged(): boolean {
    const { blocks, files } = this.#damage;
    return files > blocks.size || [...blocks.keys()].some((id) => !this.#knownAside.has(id));
  }
}

function missingText(id: number): string {
  return `write-ahead log: ${basename(segmentPath('', id))} is missing; what it held of spans that are in no block is lost`;
}
