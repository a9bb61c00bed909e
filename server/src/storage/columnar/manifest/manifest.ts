// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import { decodeEdit, encodeEdit } from './manifest-edit.ts';
import type { BlockEntry, ManifestEdit, RecordedEdit } from './manifest-edit.ts';
import { decodeManifest, encodeManifestHeader, encodeManifestRecord } from './manifest-log.ts';
import {
  fileErrorCode,
  isTransientFileError,
  readFully,
  writeFully,
} from '../files/store-files.ts';
import type { StoreFile, StoreFiles } from '../files/store-files.ts';

/** Name of the manifest in a data directory. */
export const MANIFEST_FILE = 'MANIFEST';

/** The manifest is written anew when it is larger than this and {@link GROWTH} times what it was then. */
const COMPACT_FROM_BYTES = 256 << 10;
const GROWTH = 4;

/** Blocks per record when the manifest is written anew: no record of more than some 300 kB. */
const BLOCKS_PER_RECORD = 1000;

const NOTHING = new Uint8Array(0);

/** Options of {@link Manifest.open}. */
export interface ManifestOptions {
  readonly files: StoreFiles;
  /** The data directory; must exist. */
  readonly dir: string;
  /** See {@link COMPACT_FROM_BYTES}; smaller in tests. */
  readonly compactFromBytes?: number;
}

/**
 * Which blocks make up the store, and how much of the write-ahead log is in them: a log of edits, each a record
 * with a checksum. A commit is the point at which a seal, merge or removal has happened.
 */
export class Manifest {
  /** Whether there was no manifest before. */
  readonly isNew: boolean;
  /**
   * What of the manifest could not be read; a sentence each. With any, blocks may be missing from it or stand in it
   * although removed: files that it does not name must then be kept. The damaged file is kept as `MANIFEST.damaged`.
   */
  readonly damage: readonly string[];
  /**
   * Bytes of a torn last record that were cut off: a commit that a crash interrupted, or, when bits have rotted, one
   * that had happened.
   */
  readonly cutBytes: number;
  readonly #files: StoreFiles;
  readonly #dir: string;
  readonly #compactFromBytes: number;
  readonly #blocks = new Map<Tenant, Map<number, BlockEntry>>();
  /** By id, why a block is left out. */
  readonly #setAside = new Map<number, string>();
  /** Ids of blocks that were read of as removed, until somebody takes them. */
  #removed: Set<number> | undefined = new Set();
  readonly #tenantUpto = new Map<Tenant, number>();
  readonly #segments = new Set<number>();
  #walUpto = 0;
  #logEnd = 0;
  #forgottenUpto = 0;
  #nextBlockId = 1;
  #file: StoreFile | undefined;
  /** The whole file, until {@link begin}. */
  #bytesRead: Uint8Array = NOTHING;
  #endBytes = 0;
  #nextRecord = 0;
  #compactAtBytes: number;
  #failure: SpoorError | undefined;
  #closed = false;
  /** Commits follow each other; never rejects. */
  #last: Promise<void> = Promise.resolve();

  private constructor(
    options: ManifestOptions,
    found: Pick<Manifest, 'isNew' | 'damage' | 'cutBytes'>,
  ) {
    this.#files = options.files;
    this.#dir = options.dir;
    this.#compactFromBytes = options.compactFromBytes ?? COMPACT_FROM_BYTES;
    this.#compactAtBytes = this.#compactFromBytes;
    this.isNew = found.isNew;
    this.damage = found.damage;
    this.cutBytes = found.cutBytes;
  }

  /** {@link Manifest.read} and {@link Manifest.begin} in one. */
  static async open(options: ManifestOptions): Promise<Manifest> {
    const manifest = await Manifest.read(options);
    await manifest.begin();
    return manifest;
  }

  /**
   * Reads the manifest of a directory, or gives an empty one, and touches nothing.
   * @throws {SpoorError} corrupt when it is of a newer version; unavailable
   */
  static async read(options: ManifestOptions): Promise<Manifest> {
    const { files, dir } = options;
    const path = join(dir, MANIFEST_FILE);
    let file: StoreFile | undefined;
    try {
      file = await openExisting(files, path);
      if (file === undefined) {
        return new Manifest(options, { isNew: true, damage: [], cutBytes: 0 });
      }
      const bytes = await readFully(file, 0, await file.size());
      const log = decodeManifest(bytes, path);
      const cutBytes = Math.max(0, bytes.length - log.endBytes);
      const manifest = new Manifest(options, { isNew: false, damage: log.damage, cutBytes });
      for (const edit of log.payloads.map(decodeEdit)) manifest.#apply(edit);
      manifest.#file = file;
      manifest.#bytesRead = bytes;
      manifest.#endBytes = log.endBytes;
      manifest.#nextRecord = log.nextRecord;
      return manifest;
    } catch (cause) {
      await file?.close().catch(() => undefined);
      throw cause instanceof SpoorError ? cause : manifestError(dir, 'cannot be opened', cause);
    }
  }

  /**
   * Makes ready for commits what was read: a torn end is cut off, a damaged manifest is kept beside a new one, a missing one is made.
   * @param more what it is to say beside what was read, from the first moment on
   * @throws {SpoorError} unavailable; it is closed then
   */
  async begin(more: ManifestEdit = {}): Promise<void> {
    const file = this.#file;
    const bytes = this.#bytesRead;
    this.#bytesRead = NOTHING;
    try {
      const isWhole = file !== undefined && this.damage.length === 0;
      if (isWhole && isNothing(more)) {
        if (this.cutBytes > 0) await file.truncate(this.#endBytes);
        // What a process that died had not synced must be durable before it is built upon: written again, since after a failed
        // sync the system may take it for written; and under this name.
        await writeFully(file, [bytes.subarray(0, this.#endBytes)], 0);
        await file.fdatasync();
        await this.#files.fsyncDir(this.#dir);
        return;
      }
      const damaged = `${join(this.#dir, MANIFEST_FILE)}.damaged`;
      if (file !== undefined && !isWhole) {
        await (await writeNew(this.#files, damaged, [bytes])).close();
      }
      this.#apply(more);
      await this.#rewrite();
      await file?.close();
    } catch (cause) {
      const open = new Set([file, this.#file]);
      this.#file = undefined;
      for (const one of open) await one?.close().catch(() => undefined);
      throw manifestError(this.#dir, 'cannot be opened', cause);
    }
  }

  /** Whether it is known to have lost something, if only a commit that a crash interrupted: what it does not name may have counted. */
  get isIncomplete(): boolean {
    return this.isNew || this.damage.length > 0 || this.cutBytes > 0;
  }

  /** Everything up to this sequence of the log, of all tenants, is in blocks. */
  get walUpto(): number {
    return this.#walUpto;
  }

  /** Everything of this tenant up to this sequence of the log is in blocks, or was and has been removed. */
  sealedUpto(tenant: Tenant): number {
    return Math.max(this.#walUpto, this.#tenantUpto.get(tenant) ?? 0);
  }

  /** Ids of the segments of the log that must be there. */
  get segments(): ReadonlySet<number> {
    return this.#segments;
  }

  /** Sequence of the last record of the log when the store was last shut down in good order. */
  get logEnd(): number {
    return this.#logEnd;
  }

  /** Requests up to this sequence of the log are new ones when they are sent again. */
  get forgottenUpto(): number {
    return this.#forgottenUpto;
  }

  /** Tenants that have blocks. */
  tenants(): Tenant[] {
    return [...this.#blocks.keys()];
  }

  /** Tenants with blocks. */
  get tenantCount(): number {
    return this.#blocks.size;
  }

  /** Whether a tenant has blocks. */
  hasTenant(tenant: Tenant): boolean {
    return this.#blocks.has(tenant);
  }

  /** Blocks of a tenant, in the order in which they were added. */
  blocks(tenant: Tenant): BlockEntry[] {
    return [...(this.#blocks.get(tenant)?.values() ?? [])];
  }

  has(tenant: Tenant, id: number): boolean {
    return this.#blocks.get(tenant)?.has(id) === true;
  }

  /** Ids of blocks of which a record that was read says that they are gone, though their files may be there still. They are given once. */
  takeRemoved(): ReadonlySet<number> {
    const removed = this.#removed ?? new Set();
    this.#removed = undefined;
    return removed;
  }

  /** Blocks that are left out of all answers, by id, and why. */
  get setAside(): ReadonlyMap<number, string> {
    return this.#setAside;
  }

  /** Why nothing can be committed any more; undefined while all is well. */
  get failed(): string | undefined {
    return this.#failure?.message;
  }

  /** An id for a new block. It is not durable before the block is added: a crash may give it again. */
  takeBlockId(): number {
    return this.#nextBlockId++;
  }

  /** Gives no number up to this one. */
  skipBlockIds(upto: number): void {
    this.#nextBlockId = Math.max(this.#nextBlockId, upto + 1);
  }

  /**
   * Makes an edit durable, and only then visible here. Commits happen one after the other, in the order of the calls.
   * @throws {SpoorError} unavailable: nothing was changed, but after a failed sync the edit may be found at the next
   * start; internal when the edit does not fit what is there
   */
  commit(edit: ManifestEdit): Promise<void> {
    const done = this.#last.then(() => this.#commit(edit));
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Commits nothing any more: it is not that of the directory under its path. */
  abandon(why: SpoorError): void {
    this.#failure ??= why;
  }

  /** Waits for commits and closes the file. May be called more than once. */
  async close(): Promise<void> {
    await this.#last;
    this.#closed = true;
    // Every commit is synced: a failing close loses nothing.
    await this.#file?.close().catch(() => undefined);
    this.#file = undefined;
  }

  async #commit(edit: ManifestEdit): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const file = this.#file;
    if (this.#closed || file === undefined) {
      throw new SpoorError('unavailable', `manifest of ${this.#dir}: it is closed`);
    }
    this.#check(edit);
    const record = encodeManifestRecord(encodeEdit(edit), this.#nextRecord);
    try {
      await writeFully(file, [record], this.#endBytes);
    } catch (cause) {
      throw await this.#undoWrite(file, cause);
    }
    try {
      await file.fdatasync();
    } catch (cause) {
      throw this.#fail('a sync failed, so nothing is committed until it is opened anew', cause);
    }
    this.#endBytes += record.length;
    this.#nextRecord++;
    this.#apply(edit);
    if (this.#endBytes > this.#compactAtBytes) await this.#compact();
  }

  /** Takes a half-written record back when only space was missing. */
  async #undoWrite(file: StoreFile, cause: unknown): Promise<SpoorError> {
    const permanent = 'a write failed, so nothing is committed until it is opened anew';
    if (!isTransientFileError(cause)) return this.#fail(permanent, cause);
    try {
      await file.truncate(this.#endBytes);
      await file.fdatasync();
    } catch {
      return this.#fail(permanent, cause);
    }
    return manifestError(this.#dir, 'an edit cannot be written', cause);
  }

  #fail(what: string, cause: unknown): SpoorError {
    this.#failure = manifestError(this.#dir, what, cause);
    return this.#failure;
  }

  async #compact(): Promise<void> {
    const old = this.#file;
    try {
      await this.#rewrite();
    } catch (cause) {
      // The edit is durable in the old file, which goes on; unless the new one may already stand in its place.
      if (this.#file === old) this.#compactAtBytes = this.#endBytes * GROWTH;
      else this.#fail('its new file could not be put in place', cause);
    }
    if (this.#file !== old) await old?.close().catch(() => undefined);
  }

  /** Writes the whole state to a new file and puts it in place. */
  async #rewrite(): Promise<void> {
    const path = join(this.#dir, MANIFEST_FILE);
    const temporary = `${path}.tmp`;
    const edits: RecordedEdit[] = [
      {
        walUpto: this.#walUpto,
        tenantUpto: [...this.#tenantUpto].map(([tenant, sequence]) => ({ tenant, sequence })),
        nextBlockId: this.#nextBlockId,
        addSegments: [...this.#segments],
        logEnd: this.#logEnd,
        ...(this.#forgottenUpto === 0 ? {} : { forgottenUpto: this.#forgottenUpto }),
      },
    ];
    const blocks = this.tenants().flatMap((tenant) => this.blocks(tenant));
    for (let i = 0; i < blocks.length; i += BLOCKS_PER_RECORD) {
      const addBlocks = blocks.slice(i, i + BLOCKS_PER_RECORD);
      const setAside = addBlocks.flatMap(({ tenant, id }) => {
        const reason = this.#setAside.get(id);
        return reason === undefined ? [] : { tenant, id, reason };
      });
      edits.push({ addBlocks, setAside });
    }
    const pieces = [
      encodeManifestHeader(),
      ...edits.map((edit, number) => encodeManifestRecord(encodeEdit(edit), number)),
    ];
    this.#file = await writeNew(this.#files, temporary, pieces);
    await this.#files.rename(temporary, path);
    await this.#files.fsyncDir(this.#dir);
    this.#endBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    this.#nextRecord = edits.length;
    this.#compactAtBytes = Math.max(this.#compactFromBytes, this.#endBytes * GROWTH);
  }

  /** Refuses an edit that contradicts what is there: only a fault of the caller. */
  #check(edit: ManifestEdit): void {
    const refuse = (what: string): never => {
      throw new SpoorError('internal', `manifest of ${this.#dir}: ${what}`);
    };
    for (const { tenant, id } of edit.addBlocks ?? []) {
      if (this.has(tenant, id)) refuse(`block ${id} of ${tenant} is added twice`);
    }
    for (const { tenant, id } of edit.removeBlocks ?? []) {
      if (!this.has(tenant, id)) {
        refuse(`block ${id} of ${tenant} is removed but not there`);
      }
    }
    for (const { tenant, id } of edit.redateBlocks ?? []) {
      if (!this.has(tenant, id)) refuse(`block ${id} of ${tenant} gets a date but is not there`);
    }
    if (edit.walUpto !== undefined && edit.walUpto < this.#walUpto) {
      refuse(`the log is sealed up to ${this.#walUpto}, which cannot go back to ${edit.walUpto}`);
    }
  }

  #apply(edit: RecordedEdit): void {
    for (const { tenant, id } of edit.removeBlocks ?? []) {
      const blocks = this.#blocks.get(tenant);
      blocks?.delete(id);
      this.#setAside.delete(id);
      this.#removed?.add(id);
      if (blocks?.size === 0) this.#blocks.delete(tenant);
    }
    for (const block of [...(edit.addBlocks ?? []), ...(edit.redateBlocks ?? [])]) {
      const blocks = this.#blocks.get(block.tenant) ?? new Map<number, BlockEntry>();
      this.#blocks.set(block.tenant, blocks.set(block.id, block));
      this.#nextBlockId = Math.max(this.#nextBlockId, block.id + 1);
    }
    for (const { tenant, id, reason } of edit.setAside ?? []) {
      if (this.has(tenant, id)) this.#setAside.set(id, reason);
    }
    this.#nextBlockId = Math.max(this.#nextBlockId, edit.nextBlockId ?? 0);
    this.#logEnd = edit.logEnd ?? this.#logEnd;
    this.#forgottenUpto = Math.max(this.#forgottenUpto, edit.forgottenUpto ?? 0);
    for (const id of edit.removeSegments ?? []) this.#segments.delete(id);
    for (const id of edit.addSegments ?? []) this.#segments.add(id);
    this.#walUpto = Math.max(this.#walUpto, edit.walUpto ?? 0);
    for (const { tenant, sequence } of edit.tenantUpto ?? []) {
      this.#tenantUpto.set(tenant, Math.max(sequence, this.#tenantUpto.get(tenant) ?? 0));
    }
    // What walUpto covers needs no entry: the map holds only tenants that are ahead of it.
    for (const [tenant, sequence] of this.#tenantUpto) {
      if (sequence <= this.#walUpto) this.#tenantUpto.delete(tenant);
    }
  }
}

/** Whether an edit says nothing. */
function isNothing(edit: ManifestEdit): boolean {
  return Object.values(edit).every((value) => Array.isArray(value) && value.length === 0);
}

/** Opens the manifest, or undefined when there is none. */
async function openExisting(files: StoreFiles, path: string): Promise<StoreFile | undefined> {
  try {
    return await files.open(path, 'update');
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Makes a file with this content, synced but for its name, and leaves it open. */
async function writeNew(
  files: StoreFiles,
  path: string,
  pieces: readonly Uint8Array[],
): Promise<StoreFile> {
  const file = await files.open(path, 'create');
  try {
    await writeFully(file, pieces, 0);
    await file.fdatasync();
    return file;
  } catch (error) {
    await file.close().catch(() => undefined);
    await files.unlink(path).catch(() => undefined);
    throw error;
  }
}

function manifestError(dir: string, what: string, cause: unknown): SpoorError {
  const why = messageOf(cause);
  return new SpoorError('unavailable', `manifest of ${dir}: ${what}: ${why}`, { cause });
}
