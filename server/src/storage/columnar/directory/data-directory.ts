// SPDX-License-Identifier: Apache-2.0
import { basename, join } from 'node:path';
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import { parseTenant, type Tenant } from '@spoor/core/model/ids.ts';
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

/** No store has given so many numbers: a file with a greater one is not of it. */
const MAX_BLOCK_ID = 2 ** 48;

/** A name of such a file, or of a block. */
const BLOCK_NAME = /^\d{10,16}\.block(\.left|\.torn)?$/;

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
  /** Ids of blocks of which the manifest says that they are gone. */
  readonly #removed: ReadonlySet<number>;
  /** Blocks that the manifest does not name, under other names. */
  readonly #unnamed: UnnamedBlock[] = [];
  /** Ids of blocks that an earlier start left out. */
  readonly #knownAside: ReadonlySet<number>;
  /** Blocks that the manifest names and that have no file. */
  #missing: BlockEntry[] = [];
  /** Blocks that the manifest names and that have another name: it, and their path. */
  readonly #misnamed: (readonly [string, string])[] = [];
  /** Blocks that are left out and look whole from outside. */
  #mayBeWhole: BlockEntry[] = [];

  private constructor({ files, dir, damage, nowUnixMs }: DataDirectoryOptions, manifest: Manifest) {
    this.manifest = manifest;
    this.walDir = join(dir, WAL_DIR);
    this.#files = files;
    this.#dir = dir;
    this.#damage = damage;
    this.#nowUnixMs = nowUnixMs;
    this.#removed = manifest.takeRemoved();
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
    for (const [from, path] of this.#misnamed) await this.#files.rename(from, path);
    const unnamed = await this.#findUnnamed();
    const isLost = manifest.isNew || manifest.damage.length > 0;
    const lost = isLost ? await this.#entriesOf(unnamed) : [];
    // With the manifest that is made anew: a crash after that must not find files that nothing names any more.
    await manifest.begin({ ...leftOut(lost), removeBlocks: this.#takeSources(lost) });
    for (const { id } of this.#missing) this.#damage.tellBlock(id);
    if (manifest.isNew && unnamed.length > 0) {
      this.#damage.add(this.#manifestPath, `manifest ${this.#manifestPath}: it is missing`);
    }
    for (const message of manifest.damage) this.#damage.add(this.#manifestPath, message);
    for (const entry of lost) this.#leaveOut(entry);
    // What is left may be named again when the log was read, and blocks are made meanwhile.
    manifest.skipBlockIds(unnamed.reduce((max, { id }) => Math.max(max, id), 0));
    for (const block of unnamed) {
      const isNamed = manifest.has(block.tenant, block.id);
      const to = isNamed ? block.path : block.path + (block.isTorn ? TORN : LEFT);
      if (block.at !== to) await this.#files.rename(block.at, to);
      if (!isNamed) this.#unnamed.push({ ...block, at: to });
    }
  }

  /** Compares with what the log was found to hold; to be called before anything is appended to it. */
  async compareLog(replay: WalReplay): Promise<void> {
    const before = await listLosses(this.#files, this.walDir);
    const missing = this.#missSegments(replay);
    // Before the manifest forgets what is missing: a crash in between must not hide that something is.
    await this.#judgeUnnamed(replay.lastSequence);
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

  get #manifestPath(): string {
    return join(this.#dir, MANIFEST_FILE);
  }

  async #inspectBlocks(): Promise<void> {
    for (const tenant of this.manifest.tenants()) {
      for (const block of this.manifest.blocks(tenant)) {
        const path = blockPath(this.#dir, tenant, block.id);
        const flaw = await inspectBlock(this.#files, path, block.sizeBytes);
        const before = this.manifest.setAside.get(block.id);
        const aside = flaw && before && (await this.#asideOf(path, block));
        if (aside !== undefined) this.#misnamed.push([aside, path]);
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

  /**
   * A crash between writing a block and its commit, or between a commit and the removal of what it replaced, leaves a file that
   * nothing names.
   */
  async #findUnnamed(): Promise<UnnamedBlock[]> {
    const root = join(this.#dir, TENANTS_DIR);
    const found: UnnamedBlock[] = [];
    for (const directory of await this.#namesIn(root)) {
      // Whatever else stands here is not of this store.
      if (!isTenant(directory)) continue;
      const blocks = this.manifest.blocks(directory);
      const named = new Set(blocks.map(({ id }) => blockPath(this.#dir, directory, id)));
      for (const file of await this.#namesIn(join(root, directory))) {
        if (!BLOCK_NAME.test(file)) continue;
        const id = Number.parseInt(file, 10);
        const path = blockPath(this.#dir, directory, id);
        const at = join(root, directory, file);
        if (named.has(path) || !at.startsWith(path) || id > MAX_BLOCK_ID) continue;
        const isTorn = this.manifest.cutBytes > 0 || file.endsWith(TORN);
        found.push({ tenant: directory, id, path, at, isTorn });
      }
    }
    return found;
  }

  /**
   * What can be said of blocks by themselves: of those that are whole from outside, whose number nothing else has, and that are not known to
   * be gone. It is not known when they came in: as if with the newest that is known, so that nothing is removed early.
   */
  async #entriesOf(blocks: readonly UnnamedBlock[]): Promise<BlockEntry[]> {
    const { manifest } = this;
    const known = manifest.tenants().flatMap((tenant) => manifest.blocks(tenant));
    const taken = new Set(known.map(({ id }) => id));
    const newest = known.reduce((max, { createdUnixMs }) => Math.max(max, createdUnixMs), 0);
    const createdUnixMs = newest === 0 ? this.#nowUnixMs() : newest;
    const entries: BlockEntry[] = [];
    for (const { tenant, id, at } of blocks) {
      if (taken.has(id) || this.#removed.has(id)) continue;
      const found = await entryOfFile(this.#files, at, { tenant, id });
      if (found === undefined) continue;
      taken.add(id);
      entries.push({ ...found, createdUnixMs, isUndated: true });
    }
    return entries;
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

  /** The other name of a block that was named again, where it has that still: a crash came between. */
  async #asideOf(path: string, { sizeBytes }: BlockEntry): Promise<string | undefined> {
    for (const aside of [path + LEFT, path + TORN]) {
      if ((await inspectBlock(this.#files, aside, sizeBytes)) === undefined) return aside;
    }
    return undefined;
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
      await manifest.commit({ addSegments, removeSegments });
    } catch (error) {
      // On a full disk it is noted at the next start.
      if (!isOutOfSpace(error)) throw error;
    }
  }

  /**
   * Blocks that the manifest does not name are superfluous when all that they can hold is there: what was to be sealed in the log,
   * what was to be merged in its blocks. Otherwise it was no crash that left them, and they may have counted: they are named again, or
   * kept as they are.
   */
  async #judgeUnnamed(lastSequence: number): Promise<void> {
    const { cutBytes, isNew, walUpto } = this.manifest;
    const isLogWhole = lastSequence > 0 && lastSequence >= walUpto;
    const isWhole = !isNew && !this.#isNewlyDamaged;
    const kept: UnnamedBlock[] = [];
    for (const block of this.#unnamed) {
      const isLeft = this.#removed.has(block.id) || (isWhole && (!block.isTorn || isLogWhole));
      if (isLeft) await this.#files.unlink(block.at);
      else kept.push(block);
    }
    if (kept.length === 0) return;
    const path = this.#manifestPath;
    if (this.manifest.damage.length === 0 && !isNew) {
      const wrong =
        cutBytes > 0
          ? `its last ${cutBytes} bytes are damaged`
          : 'records may be missing at its end';
      this.#damage.add(path, `manifest ${path}: ${wrong}`);
    }
    await this.#nameAgain(kept);
  }

  /** Has the manifest name what is whole from outside, and sets the rest aside. */
  async #nameAgain(blocks: readonly UnnamedBlock[]): Promise<void> {
    let found: readonly BlockEntry[] = await this.#entriesOf(blocks);
    try {
      await this.manifest.commit({ ...leftOut(found), removeBlocks: this.#takeSources(found) });
    } catch (error) {
      if (!isOutOfSpace(error)) throw error;
      // They stay as they are until the next start.
      found = [];
    }
    for (const { tenant, id, path, at } of blocks) {
      const entry = found.find((one) => one.tenant === tenant && one.id === id);
      const to = entry === undefined ? `${path}.unnamed` : path;
      await this.#files.rename(at, to);
      if (entry !== undefined) this.#leaveOut(entry);
      else {
        const what =
          'the manifest does not name this block, which may have counted; it is not whole, or another one has its number, and is set aside';
        this.#damage.add(to, what);
      }
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

function isTenant(name: string): name is Tenant {
  try {
    return parseTenant(name) === name;
  } catch {
    return false;
  }
}

function missingText(id: number): string {
  return `write-ahead log: ${basename(segmentPath('', id))} is missing; what it held of spans that are in no block is lost`;
}

/** Has the manifest name blocks, and say that they are left out. */
function leftOut(blocks: readonly BlockEntry[]): ManifestEdit {
  return {
    addBlocks: blocks,
    setAside: blocks.map(({ tenant, id }) => ({ tenant, id, reason: NOT_NAMED })),
  };
}

/** What making a directory says where something else is. */
const NO_DIRECTORY: Readonly<Record<string, string>> = {
  EEXIST: 'there is a file of this name, which is no directory',
  ENOTDIR: 'a part of its path is a file, and no directory',
};

/** Why nothing more is written to a directory that is not the one that was opened. */
export function lostDirectory(dir: string): SpoorError {
  return new SpoorError(
    'unavailable',
    `data directory ${dir}: it was removed, renamed or unmounted while it was in use; no new spans are taken until Spoor is started anew`,
  );
}

/** Why a directory cannot be used. */
export function directoryError(dir: string, cause: unknown): SpoorError {
  const why = NO_DIRECTORY[fileErrorCode(cause)] ?? messageOf(cause);
  return new SpoorError('unavailable', `data directory ${dir}: ${why}`, { cause });
}
