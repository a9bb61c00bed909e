// SPDX-License-Identifier: Apache-2.0
import { dirname, join } from 'node:path';
import { blockPath } from '../block/block-path.ts';
import { isOutOfSpace, type StoreFiles } from '../files/store-files.ts';
import { type Manifest, MANIFEST_FILE } from '../manifest/manifest.ts';
import type { BlockEntry, ManifestEdit } from '../manifest/manifest-edit.ts';
import { entryOfFile } from './block-entry.ts';
import type { DamageReport } from './damage-report.ts';
import { asidePath, leftPath, listUnnamed, type UnnamedBlock } from './unnamed-files.ts';

/** Where {@link UnnamedBlocks} lie, and what does not name them. */
export interface UnnamedBlocksOptions {
  readonly files: StoreFiles;
  /** The data directory. */
  readonly dir: string;
  /** As it was read, and not begun. */
  readonly manifest: Manifest;
  readonly damage: Pick<DamageReport, 'add' | 'addBlock' | 'forgetBlock' | 'suspectBlock'>;
  readonly nowUnixMs: () => number;
}

/** What a manifest is to say of blocks that it did not name: they are there, and left out; what they were merged of is gone. */
export type Naming = Required<Pick<ManifestEdit, 'addBlocks' | 'removeBlocks' | 'setAside'>>;

/** What the manifest can name of a block. */
interface Whole {
  readonly entry: BlockEntry;
  /** Which of its files it is. */
  readonly file: string;
}

/** Why a block is left out until it was written anew without what other blocks hold. */
const NOT_NAMED = 'the manifest, which a crash or damage cut off, does not name it';
const NO_ROOM =
  'and the disk is too full to have it named again; the next start with more room does';

/** Why a file is set aside for good. */
const NOT_WHOLE =
  'the manifest does not name this block, which may have counted; it is not whole, or another one has its number, and is set aside';
const BESIDE = 'another file of this block is whole; this one is set aside';

/**
 * Blocks that the manifest does not name. A crash between writing a block and its commit, or between a commit and the removal of what
 * it replaced, leaves a file that nothing names: it is removed. A block that damage took out of the manifest is named again. Which of
 * the two it was is clear at once where the manifest is damaged or missing, otherwise when the log was read.
 *
 * A start calls {@link find}, {@link setApart}, {@link takeOver} and {@link judge} once each.
 */
export class UnnamedBlocks {
  readonly #files: StoreFiles;
  readonly #dir: string;
  readonly #manifest: Manifest;
  readonly #damage: UnnamedBlocksOptions['damage'];
  readonly #nowUnixMs: () => number;
  /** Ids of blocks of which the manifest says that they are gone. */
  readonly #removed: ReadonlySet<number>;
  /** Blocks that the manifest names and that have no file. */
  #missing: readonly BlockEntry[] = [];
  /** Those that are still not named. */
  #unnamed: readonly UnnamedBlock[] = [];
  /** Those that the manifest begins with. */
  #begun: ReadonlyMap<UnnamedBlock, Whole> = new Map();
  /** Paths of files that were set aside for good. */
  #aside: Set<string> = new Set();
  /** See {@link waiting}. */
  readonly #waiting: BlockEntry[] = [];

  constructor({ files, dir, manifest, damage, nowUnixMs }: UnnamedBlocksOptions) {
    this.#files = files;
    this.#dir = dir;
    this.#manifest = manifest;
    this.#damage = damage;
    this.#nowUnixMs = nowUnixMs;
    this.#removed = manifest.takeRemoved();
  }

  /**
   * Looks for them, and touches no file.
   * @param missing blocks that the manifest names and that have no file; what was merged into one that it does not name is no damage
   * @returns what the manifest is to begin with
   */
  async find(missing: readonly BlockEntry[]): Promise<Naming> {
    const { damage, isNew } = this.#manifest;
    this.#missing = missing;
    const { unnamed, aside } = await listUnnamed(this.#files, this.#dir, this.#manifest);
    this.#unnamed = unnamed;
    this.#aside = aside;
    this.#begun = await this.#findWhole(isNew || damage.length > 0 ? unnamed : []);
    return this.#namingOf(this.#begun);
  }

  /**
   * Gives the names that files have until the log was read to those that the manifest does not begin with. To be called before one
   * that has lost something begins, and hides it, and after any other has begun.
   */
  async setApart(): Promise<void> {
    const unnamed = this.#unnamed;
    // What is left may be named again when the log was read, and blocks are made meanwhile.
    this.#manifest.skipBlockIds(unnamed.reduce((max, { id }) => Math.max(max, id), 0));
    const left: UnnamedBlock[] = [];
    for (const block of unnamed) {
      if (!this.#begun.has(block)) left.push({ ...block, files: await this.#moveLeft(block) });
    }
    await this.#syncNames(left.filter(({ isTorn }) => isTorn));
    this.#unnamed = left;
  }

  /** Leaves those out that the manifest has begun with, once it has. */
  async takeOver(): Promise<void> {
    if (this.#manifest.isNew && this.#unnamed.length + this.#begun.size > 0) this.#tellManifest();
    for (const { entry } of this.#begun.values()) this.#leaveOut(entry);
    for (const [block, { file }] of this.#begun) await this.#place(block, file, block.path);
  }

  /** Blocks that were to be named again, for which there was no room: answers are without them. */
  get waiting(): readonly BlockEntry[] {
    return this.#waiting;
  }

  /**
   * Blocks that the manifest does not name are superfluous when all that they can hold is there: what was to be sealed in the log,
   * what was to be merged in its blocks. Otherwise it was no crash that left them, and they may have counted: they are named again, or
   * kept as they are.
   * @returns those that are named again; they are left out
   */
  async judge(found: {
    /** Nothing is damaged or missing but what an earlier start left out. */
    readonly isWhole: boolean;
    /** The log reaches as far as the manifest says. */
    readonly isLogWhole: boolean;
  }): Promise<readonly BlockEntry[]> {
    const kept: UnnamedBlock[] = [];
    for (const block of this.#unnamed) {
      const isCrash = !block.isWaiting && found.isWhole && (!block.isTorn || found.isLogWhole);
      if (!isCrash && !this.#removed.has(block.id)) kept.push(block);
      else for (const at of block.files) await this.#files.unlink(at);
    }
    if (kept.length === 0) return [];
    const { damage, isNew } = this.#manifest;
    // Of what waits an earlier start told.
    const isNews = kept.some(({ isWaiting }) => !isWaiting);
    if (damage.length === 0 && !isNew && isNews) this.#tellManifest();
    return this.#nameAgain(kept);
  }

  /** Has the manifest name what is whole from outside, and sets the rest aside. Where there is no room for that, it waits for the next start. */
  async #nameAgain(unnamed: readonly UnnamedBlock[]): Promise<readonly BlockEntry[]> {
    const whole = await this.#findWhole(unnamed);
    const naming = this.#namingOf(whole);
    const isNamed = await this.#commitIfRoom(naming);
    for (const block of unnamed) {
      const found = whole.get(block);
      const to = isNamed ? block.path : leftPath({ ...block, isWaiting: true });
      await this.#place(block, found?.file, to);
      if (found === undefined) continue;
      if (isNamed) this.#leaveOut(found.entry);
      else this.#wait(found.entry, to);
    }
    // Before the manifest forgets, or the log hides, why they may have counted.
    await this.#syncNames(unnamed);
    return isNamed ? naming.addBlocks : [];
  }

  /** Commits what the manifest is to say; what blocks were merged of is missing until then. @returns whether there was room */
  async #commitIfRoom(naming: Naming): Promise<boolean> {
    try {
      await this.#manifest.commit(naming);
    } catch (error) {
      if (!isOutOfSpace(error)) throw error;
      return false;
    }
    for (const { id } of naming.removeBlocks) this.#damage.forgetBlock(id);
    return true;
  }

  /** Lets the name of a block say when it was found. @returns its files then */
  async #moveLeft(block: UnnamedBlock): Promise<readonly string[]> {
    const to = leftPath(block);
    const [first, ...others] = block.files;
    if (first === undefined || block.files.includes(to)) return block.files;
    await this.#files.rename(first, to);
    return [to, ...others];
  }

  async #syncNames(blocks: readonly UnnamedBlock[]): Promise<void> {
    for (const dir of new Set(blocks.map(({ path }) => dirname(path)))) {
      await this.#files.fsyncDir(dir);
    }
  }

  /** Gives the whole file of a block a name, once the others are set aside for good: none is put in the place of another. */
  async #place(
    { path, files }: UnnamedBlock,
    whole: string | undefined,
    to: string,
  ): Promise<void> {
    for (const at of files) {
      if (at === whole) continue;
      const aside = asidePath(path, this.#aside);
      this.#aside.add(aside);
      await this.#files.rename(at, aside);
      this.#damage.add(aside, whole === undefined ? NOT_WHOLE : BESIDE);
    }
    if (whole !== undefined && whole !== to) await this.#files.rename(whole, to);
  }

  #namingOf(whole: ReadonlyMap<UnnamedBlock, Whole>): Naming {
    const addBlocks = [...whole.values()].map(({ entry }) => entry);
    return {
      addBlocks,
      setAside: addBlocks.map(({ tenant, id }) => ({ tenant, id, reason: NOT_NAMED })),
      removeBlocks: this.#sourcesOf(addBlocks),
    };
  }

  /**
   * What can be said of blocks by themselves: of those that are whole from outside, whose number nothing else has, and that are not known to
   * be gone. It is not known when they came in: as if with the newest that is known, so that nothing is removed early.
   */
  async #findWhole(unnamed: readonly UnnamedBlock[]): Promise<ReadonlyMap<UnnamedBlock, Whole>> {
    const manifest = this.#manifest;
    const known = manifest.tenants().flatMap((tenant) => manifest.blocks(tenant));
    const taken = new Set(known.map(({ id }) => id));
    const newest = known.reduce((max, { createdUnixMs }) => Math.max(max, createdUnixMs), 0);
    const createdUnixMs = newest === 0 ? this.#nowUnixMs() : newest;
    const whole = new Map<UnnamedBlock, Whole>();
    for (const block of unnamed) {
      const { tenant, id } = block;
      for (const file of block.files) {
        if (taken.has(id) || this.#removed.has(id)) break;
        const found = await entryOfFile(this.#files, file, { tenant, id });
        if (found === undefined) continue;
        taken.add(id);
        whole.set(block, { entry: { ...found, createdUnixMs, isUndated: true }, file });
      }
    }
    return whole;
  }

  /**
   * The missing blocks that these were merged of: a manifest that has lost the merge names them still. They have exactly as many spans in the
   * same time. When these are named they are missing no more.
   */
  #sourcesOf(merged: readonly BlockEntry[]): readonly BlockEntry[] {
    let missing = this.#missing.filter(({ tenant, id }) => this.#manifest.has(tenant, id));
    return merged.flatMap((block) => {
      const inside = missing.filter(
        ({ tenant, id, minStartUnixNano, maxStartUnixNano }) =>
          tenant === block.tenant &&
          id < block.id &&
          minStartUnixNano >= block.minStartUnixNano &&
          maxStartUnixNano <= block.maxStartUnixNano,
      );
      const spans = inside.reduce((sum, one) => sum + one.spans, 0);
      if (spans !== block.spans) return [];
      missing = missing.filter((one) => !inside.includes(one));
      return inside;
    });
  }

  /** Has a block wait for room, which is told. */
  #wait(entry: BlockEntry, path: string): void {
    this.#damage.addBlock(entry.id, path, `block ${path}: ${NOT_NAMED}, ${NO_ROOM}`);
    this.#waiting.push(entry);
  }

  /** Leaves a block out that the manifest names from now on, until it is written anew without what other blocks hold. */
  #leaveOut({ tenant, id }: BlockEntry): void {
    const path = blockPath(this.#dir, tenant, id);
    this.#damage.suspectBlock(id, path, `block ${path}: ${NOT_NAMED}`);
  }

  /** Tells of a manifest that does not name blocks that may have counted, though all that it says is whole. */
  #tellManifest(): void {
    const path = join(this.#dir, MANIFEST_FILE);
    this.#damage.add(path, `manifest ${path}: ${lossOf(this.#manifest)}`);
  }
}

function lossOf({ cutBytes, isNew }: Manifest): string {
  if (isNew) return 'it is missing';
  if (cutBytes > 0) return `its last ${cutBytes} bytes are damaged`;
  return 'records may be missing at its end';
}
