// SPDX-License-Identifier: Apache-2.0
import { basename, join } from 'node:path';
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import { entryOfFile } from './block-entry.ts';
import { inspectBlock } from './block-inspection.ts';
import { blockPath, TENANTS_DIR } from '../block/block-path.ts';
import type { DamageReport } from './damage-report.ts';
import { Manifest, MANIFEST_FILE } from '../manifest/manifest.ts';
import type { BlockEntry, ManifestEdit } from '../manifest/manifest-edit.ts';
import { fileErrorCode, isOutOfSpace, type StoreFiles } from '../files/store-files.ts';
import type { WalReplay } from '../wal/wal-replay.ts';
import {
  checkSegmentFormats,
  listLosses,
  noteMissing,
  segmentPath,
  WAL_DIR,
} from '../wal/wal-segment.ts';

/** Where a {@link DataDirectory} lies. */
export interface DataDirectoryOptions {
  readonly files: StoreFiles;
  /** Exists, and is locked. */
  readonly dir: string;
  readonly damage: DamageReport;
  readonly nowUnixMs: () => number;
}

/** A file of a block that the manifest does not name. */
interface UnnamedBlock {
  readonly tenant: Tenant;
  readonly id: number;
  /** Where it was found. */
  readonly path: string;
}

/** Why a block is left out until it was written anew without what other blocks hold. */
const NOT_NAMED = 'the manifest, which a crash or damage cut off, does not name it';

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
  readonly #nowUnixMs: () => number;
  /** Blocks that the manifest does not name, and that got other names: see {@link asideName}. */
  #unnamed: readonly UnnamedBlock[] = [];
  /** Ids of blocks that an earlier start left out. */
  readonly #knownAside: ReadonlySet<number>;
  /** Blocks that the manifest names and that have no file. */
  #missing: BlockEntry[] = [];
  /** Paths of blocks that have another name. */
  readonly #misnamed: string[] = [];
  /** Blocks that are left out and look whole from outside. */
  #mayBeWhole: BlockEntry[] = [];

  private constructor({ files, dir, damage, nowUnixMs }: DataDirectoryOptions, manifest: Manifest) {
    this.manifest = manifest;
    this.walDir = join(dir, WAL_DIR);
    this.#files = files;
    this.#dir = dir;
    this.#damage = damage;
    this.#nowUnixMs = nowUnixMs;
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
    for (const path of this.#misnamed) await this.#files.rename(asideName(path), path);
    const unnamed = await this.#findUnnamed();
    const isLost = manifest.isNew || manifest.cutBytes > 0 || manifest.damage.length > 0;
    const lost = isLost ? await this.#entriesOf(unnamed) : [];
    // With the manifest that is made anew: a crash after that must not find files that nothing names any more.
    await manifest.begin({ ...leftOut(lost), removeBlocks: this.#takeSources(lost) });
    for (const { id } of this.#missing) this.#damage.tellBlock(id);
    if (manifest.isNew && unnamed.length > 0) {
      this.#damage.add(this.#manifestPath, `manifest ${this.#manifestPath}: it is missing`);
    }
    for (const message of manifest.damage) this.#damage.add(this.#manifestPath, message);
    for (const entry of lost) this.#leaveOut(entry);
    this.#unnamed = unnamed.filter(({ tenant, id }) => !manifest.has(tenant, id));
    for (const block of this.#unnamed) await this.#files.rename(block.path, asideName(block.path));
  }

  /** Compares with what the log was found to hold; to be called before anything is appended to it. */
  async compareLog(replay: WalReplay): Promise<void> {
    const before = await listLosses(this.#files, this.walDir);
    await this.#missSegments(replay);
    await this.#judgeUnnamed(replay.lastSequence);
    // Not before: what an earlier start told says nothing of a block that is found now.
    for (const { path, message } of before) this.#damage.add(path, message);
  }

  /** Blocks that are left out, and may be read again; each is given once. */
  takeMayBeWhole(): readonly BlockEntry[] {
    const blocks = this.#mayBeWhole;
    this.#mayBeWhole = [];
    return blocks;
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
        if (flaw !== undefined && before !== undefined && (await this.#isAside(path, block))) {
          this.#misnamed.push(path);
          this.#mayBeWhole.push(block);
          this.#damage.suspectBlock(block.id, path, before);
        } else if (flaw !== undefined) {
          const reason = `block ${path}: ${flaw.what}`;
          this.#damage.suspectBlock(block.id, path, reason, flaw.isReadError);
          if (flaw.isMissing === true) this.#missing.push(block);
          else this.#damage.tellBlock(block.id);
        } else if (before !== undefined) {
          this.#mayBeWhole.push(block);
          this.#damage.suspectBlock(block.id, path, before);
        }
      }
    }
  }

  /**
   * A crash between writing a block and its commit, or between a commit and the removal of what it replaced, leaves a file that
   * nothing names. It gets another name, so that its number can be given again, until the log was read.
   */
  async #findUnnamed(): Promise<UnnamedBlock[]> {
    const root = join(this.#dir, TENANTS_DIR);
    const found: UnnamedBlock[] = [];
    for (const directory of await this.#namesIn(root)) {
      // Only directories that this store made for a tenant are here; an unknown name has no blocks.
      const tenant = directory as Tenant;
      const blocks = this.manifest.blocks(tenant);
      const named = new Set(blocks.map(({ id }) => blockPath(this.#dir, tenant, id)));
      for (const file of await this.#namesIn(join(root, directory))) {
        const path = join(root, directory, file);
        if (!file.endsWith('.block') || named.has(path)) continue;
        found.push({ tenant, id: Number.parseInt(file, 10), path });
      }
    }
    return found;
  }

  /** What can be said of blocks by themselves, of those that are whole from outside. */
  async #entriesOf(blocks: readonly UnnamedBlock[]): Promise<BlockEntry[]> {
    const entries: BlockEntry[] = [];
    for (const block of blocks) {
      const entry = await this.#entryOf(block, block.path);
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  /** @param at where the block is now @returns undefined also where another block has its number */
  async #entryOf({ tenant, id, path }: UnnamedBlock, at: string): Promise<BlockEntry | undefined> {
    const { manifest } = this;
    const isTaken = manifest.tenants().some((other) => manifest.has(other, id));
    if (isTaken || blockPath(this.#dir, tenant, id) !== path) return undefined;
    const entry = await entryOfFile(this.#files, at, { tenant, id });
    if (entry === undefined) return undefined;
    // Age counts from when the last of the spans came in, which was not before it began, unless its clock was wrong.
    return { ...entry, createdUnixMs: Math.min(entry.createdUnixMs, this.#nowUnixMs()) };
  }

  /**
   * The missing blocks that these were merged of: a manifest that has lost the merge names them still. They have exactly as many spans in the
   * same time. They are missing no more.
   */
  #takeSources(merged: readonly BlockEntry[]): readonly BlockEntry[] {
    const gone = merged.flatMap((block) => {
      const inside = this.#missing.filter(
        ({ tenant, id, minStartUnixNano, maxStartUnixNano }) =>
          tenant === block.tenant &&
          id < block.id &&
          minStartUnixNano >= block.minStartUnixNano &&
          maxStartUnixNano <= block.maxStartUnixNano,
      );
      const spans = inside.reduce((sum, one) => sum + one.spans, 0);
      if (spans !== block.spans) return [];
      this.#missing = this.#missing.filter((one) => !inside.includes(one));
      return inside;
    });
    for (const { id } of gone) this.#damage.forgetBlock(id);
    return gone;
  }

  /** Leaves a block out that the manifest names from now on, until it is written anew without what other blocks hold. */
  #leaveOut(entry: BlockEntry): void {
    const path = blockPath(this.#dir, entry.tenant, entry.id);
    this.#damage.suspectBlock(entry.id, path, `block ${path}: ${NOT_NAMED}`);
    this.#mayBeWhole.push(entry);
  }

  /** Whether a block that was named again has its other name still: a crash came between. */
  async #isAside(path: string, { sizeBytes }: BlockEntry): Promise<boolean> {
    return (await inspectBlock(this.#files, asideName(path), sizeBytes)) === undefined;
  }

  /** Tells of segments that should be there and are not, and notes those that are there. */
  async #missSegments({ segments, unused }: WalReplay): Promise<void> {
    const { manifest } = this;
    const present = new Set([...segments, ...unused].map(({ id }) => id));
    const missing = [...manifest.segments].filter((id) => !present.has(id));
    const unknown = [...present].filter((id) => !manifest.segments.has(id));
    if (missing.length + unknown.length === 0) return;
    const lost = missing.map((id) => {
      const path = segmentPath(this.walDir, id);
      const message = `write-ahead log: ${basename(path)} is missing; what it held of spans that are in no block is lost`;
      this.#damage.add(path, message);
      return { path, message };
    });
    try {
      // The manifest does not miss it any more then.
      for (const { path, message } of lost) await noteMissing(this.#files, path, message);
      await manifest.commit({ addSegments: unknown, removeSegments: missing });
    } catch (error) {
      // On a full disk it is noted at the next start.
      if (!isOutOfSpace(error)) throw error;
    }
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
      for (const { path } of this.#unnamed) await this.#files.unlink(asideName(path));
      return;
    }
    const path = this.#manifestPath;
    if (this.manifest.damage.length === 0 && !isNew) {
      const wrong = isTorn
        ? `its last ${cutBytes} bytes are damaged`
        : 'records may be missing at its end';
      this.#damage.add(path, `manifest ${path}: ${wrong}`);
    }
    const named = await this.#nameAgain();
    for (const block of this.#unnamed) {
      if (named.has(block)) continue;
      this.#damage.add(
        asideName(block.path),
        'the manifest does not name this block, which may have counted; it is not whole, and is set aside',
      );
    }
  }

  /** Has the manifest name those that were set aside and are whole from outside. */
  async #nameAgain(): Promise<ReadonlySet<UnnamedBlock>> {
    const found = new Map<UnnamedBlock, BlockEntry>();
    for (const block of this.#unnamed) {
      const entry = await this.#entryOf(block, asideName(block.path));
      if (entry !== undefined) found.set(block, entry);
    }
    try {
      const blocks = [...found.values()];
      await this.manifest.commit({ ...leftOut(blocks), removeBlocks: this.#takeSources(blocks) });
    } catch (error) {
      // On a full disk they stay as they are.
      if (isOutOfSpace(error)) return new Set();
      throw error;
    }
    for (const [{ path }, entry] of found) {
      await this.#files.rename(asideName(path), path);
      this.#leaveOut(entry);
    }
    return new Set(found.keys());
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

/** What a block is called that the manifest does not name, until it is known what it is. */
function asideName(path: string): string {
  return `${path}.unnamed`;
}

/** Has the manifest name blocks, and say that they are left out. */
function leftOut(blocks: readonly BlockEntry[]): ManifestEdit {
  return {
    addBlocks: blocks,
    setAside: blocks.map(({ tenant, id }) => ({ tenant, id, reason: NOT_NAMED })),
  };
}

/** Why a directory cannot be used. */
export function directoryError(dir: string, cause: unknown): SpoorError {
  return new SpoorError('unavailable', `data directory ${dir}: ${messageOf(cause)}`, { cause });
}
