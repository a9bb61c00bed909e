// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { blockPath } from '../block/block-path.ts';
import { isOutOfSpace, type StoreFiles } from '../files/store-files.ts';
import { type Manifest, MANIFEST_FILE } from '../manifest/manifest.ts';
import type { BlockEntry, ManifestEdit } from '../manifest/manifest-edit.ts';
import { entryOfFile } from './block-entry.ts';
import type { DamageReport } from './damage-report.ts';
import { leftPath, listUnnamed, type UnnamedFile } from './unnamed-files.ts';

/** Where {@link UnnamedBlocks} lie, and what does not name them. */
export interface UnnamedBlocksOptions {
  readonly files: StoreFiles;
  /** The data directory. */
  readonly dir: string;
  /** As it was read, and not begun. */
  readonly manifest: Manifest;
  readonly damage: Pick<DamageReport, 'add' | 'forgetBlock' | 'suspectBlock'>;
  readonly nowUnixMs: () => number;
}

/** What a manifest is to say of blocks that it did not name: they are there, and left out; what they were merged of is gone. */
export type Naming = Required<Pick<ManifestEdit, 'addBlocks' | 'removeBlocks' | 'setAside'>>;

/** Why a block is left out until it was written anew without what other blocks hold. */
const NOT_NAMED = 'the manifest, which a crash or damage cut off, does not name it';

/**
 * Blocks that the manifest does not name. A crash between writing a block and its commit, or between a commit and the removal of what
 * it replaced, leaves a file that nothing names: it is removed. A block that damage took out of the manifest is named again. Which of
 * the two it was is clear at once where the manifest is damaged or missing, otherwise when the log was read.
 *
 * A start calls {@link find}, {@link setApart} and {@link judge} once each, in this order.
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
  #unnamed: readonly UnnamedFile[] = [];

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
    this.#unnamed = await listUnnamed(this.#files, this.#dir, this.#manifest);
    return this.#naming(isNew || damage.length > 0 ? this.#unnamed : []);
  }

  /** Leaves those out that the manifest has begun with, and gives the others the names that files have until the log was read. */
  async setApart({ addBlocks }: Naming): Promise<void> {
    const manifest = this.#manifest;
    const unnamed = this.#unnamed;
    if (manifest.isNew && unnamed.length > 0) this.#tellManifest();
    for (const entry of addBlocks) this.#leaveOut(entry);
    // What is left may be named again when the log was read, and blocks are made meanwhile.
    manifest.skipBlockIds(unnamed.reduce((max, { id }) => Math.max(max, id), 0));
    const left: UnnamedFile[] = [];
    for (const file of unnamed) {
      const isNamed = manifest.has(file.tenant, file.id);
      const to = isNamed ? file.path : leftPath(file);
      if (file.at !== to) await this.#files.rename(file.at, to);
      if (!isNamed) left.push({ ...file, at: to });
    }
    this.#unnamed = left;
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
    const kept: UnnamedFile[] = [];
    for (const file of this.#unnamed) {
      const isLeft =
        this.#removed.has(file.id) || (found.isWhole && (!file.isTorn || found.isLogWhole));
      if (isLeft) await this.#files.unlink(file.at);
      else kept.push(file);
    }
    if (kept.length === 0) return [];
    const { damage, isNew } = this.#manifest;
    if (damage.length === 0 && !isNew) this.#tellManifest();
    return this.#nameAgain(kept);
  }

  /** Has the manifest name what is whole from outside, and sets the rest aside. */
  async #nameAgain(unnamed: readonly UnnamedFile[]): Promise<readonly BlockEntry[]> {
    const naming = await this.#naming(unnamed);
    let found = naming.addBlocks;
    try {
      await this.#manifest.commit(naming);
    } catch (error) {
      if (!isOutOfSpace(error)) throw error;
      // They stay as they are until the next start.
      found = [];
    }
    const named: BlockEntry[] = [];
    for (const { tenant, id, path, at } of unnamed) {
      const entry = found.find((one) => one.tenant === tenant && one.id === id);
      const to = entry === undefined ? `${path}.unnamed` : path;
      await this.#files.rename(at, to);
      if (entry !== undefined) {
        this.#leaveOut(entry);
        named.push(entry);
      } else {
        const what =
          'the manifest does not name this block, which may have counted; it is not whole, or another one has its number, and is set aside';
        this.#damage.add(to, what);
      }
    }
    return named;
  }

  async #naming(unnamed: readonly UnnamedFile[]): Promise<Naming> {
    const addBlocks = await this.#entriesOf(unnamed);
    return {
      addBlocks,
      setAside: addBlocks.map(({ tenant, id }) => ({ tenant, id, reason: NOT_NAMED })),
      removeBlocks: this.#takeSources(addBlocks),
    };
  }

  /**
   * What can be said of blocks by themselves: of those that are whole from outside, whose number nothing else has, and that are not known to
   * be gone. It is not known when they came in: as if with the newest that is known, so that nothing is removed early.
   */
  async #entriesOf(unnamed: readonly UnnamedFile[]): Promise<BlockEntry[]> {
    const manifest = this.#manifest;
    const known = manifest.tenants().flatMap((tenant) => manifest.blocks(tenant));
    const taken = new Set(known.map(({ id }) => id));
    const newest = known.reduce((max, { createdUnixMs }) => Math.max(max, createdUnixMs), 0);
    const createdUnixMs = newest === 0 ? this.#nowUnixMs() : newest;
    const entries: BlockEntry[] = [];
    for (const { tenant, id, at } of unnamed) {
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
