// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import { blockPath, overlapsPath, TENANTS_DIR } from '../block/block-path.ts';
import { BlockReader } from '../block/block-reader.ts';
import { directoryError } from '../directory/directory-error.ts';
import { DataLock, LOCK_FILE, type ReadLock } from '../directory/data-lock.ts';
import { ByteCache } from '../block/frame-cache.ts';
import { Manifest, MANIFEST_FILE } from '../manifest/manifest.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import { DISK_FILES } from '../directory/disk-files.ts';
import { fileErrorCode, type StoreFiles } from '../files/store-files.ts';
import { replayWal, type WalReplay, type WalReplayOptions } from '../wal/wal-replay.ts';
import type { WalRecord } from '../wal/wal-record.ts';
import { listLosses, WAL_DIR } from '../wal/wal-segment.ts';

/** The file system, of which nothing is opened for writing. */
const READ_ONLY_FILES: StoreFiles = {
  ...DISK_FILES,
  open: (path) => DISK_FILES.open(path, 'read'),
};

/** A data directory that no server has open, to look at: nothing in it is changed. */
export class StoppedStore implements AsyncDisposable {
  readonly dir: string;
  readonly manifest: Manifest;
  /** By tenant and id. */
  readonly blocks: readonly BlockEntry[];
  /** What is wrong with the lock file, so that no server starts. */
  readonly lockFlaw: string | undefined;
  readonly #lock: ReadLock | undefined;

  private constructor(dir: string, lock: ReadLock | string, manifest: Manifest) {
    this.dir = dir;
    this.lockFlaw = typeof lock === 'string' ? lock : undefined;
    this.#lock = typeof lock === 'string' ? undefined : lock;
    this.manifest = manifest;
    this.blocks = manifest
      .tenants()
      .sort()
      .flatMap((tenant) => manifest.blocks(tenant).sort((a, b) => a.id - b.id));
  }

  /**
   * Keeps a directory from being changed meanwhile, and reads its manifest. It may be one that cannot be written.
   * @throws {SpoorError} invalid_argument: there is no store; unavailable: a process has it open; corrupt: a newer format
   */
  static async open(dir: string): Promise<StoppedStore> {
    requireStore(dir);
    const lock = DataLock.share(dir);
    try {
      return new StoppedStore(dir, lock, await Manifest.read({ files: READ_ONLY_FILES, dir }));
    } catch (error) {
      if (typeof lock !== 'string') lock.release();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.manifest.close();
    this.#lock?.release();
  }

  get manifestPath(): string {
    return join(this.dir, MANIFEST_FILE);
  }

  get lockPath(): string {
    return join(this.dir, LOCK_FILE);
  }

  get walDir(): string {
    return join(this.dir, WAL_DIR);
  }

  pathOf({ tenant, id }: BlockEntry): string {
    return blockPath(this.dir, tenant, id);
  }

  /**
   * Opens a block for `use`, and closes it.
   * @throws {SpoorError} corrupt
   */
  withBlock<Result>(block: BlockEntry, use: (reader: BlockReader) => Result): Result {
    // Nothing is read twice.
    const reader = new BlockReader(this.pathOf(block), block.id, new ByteCache(0));
    try {
      return use(reader);
    } finally {
      reader.close();
    }
  }

  /**
   * Reads the log as a start does; `onRecord` gets each record, and whether its spans are in no block yet.
   * @throws {SpoorError} unavailable: a file or the directory cannot be read; corrupt: a newer format
   */
  async readLog(
    onRecord: (record: WalRecord, isUnsealed: boolean) => void,
    flaws: Pick<WalReplayOptions, 'onDamage' | 'onTornEnd'>,
  ): Promise<WalReplay> {
    const { walUpto: sealedUpto, logEnd } = this.manifest;
    return await replayWal({
      files: READ_ONLY_FILES,
      dir: this.walDir,
      sealedUpto,
      logEnd,
      readOnly: true,
      ...flaws,
      onRecord: (record) => {
        onRecord(record, record.sequence > this.manifest.sealedUpto(record.tenant));
      },
    }).catch((error: unknown) => {
      if (error instanceof SpoorError || fileErrorCode(error) === '') throw error;
      const why = messageOf(error);
      throw new SpoorError(
        'unavailable',
        `write-ahead log ${this.walDir}: it cannot be read: ${why}`,
      );
    });
  }

  /** What earlier starts lost of the log; none where that cannot be read. */
  losses(): ReturnType<typeof listLosses> {
    return listLosses(READ_ONLY_FILES, this.walDir).catch(() => []);
  }

  /** Files with what the blocks of a tenant change in the traces that they share, as far as there are any. */
  overlapsFiles(): string[] {
    return this.manifest
      .tenants()
      .sort()
      .map((tenant) => overlapsPath(this.dir, tenant))
      .filter((path) => existsSync(path));
  }

  /** Files in the directory that are no part of the store, with their sizes: what a crash left, or what was set aside. */
  async strayFiles(): Promise<{ readonly path: string; readonly sizeBytes: number }[]> {
    const known = new Set([
      this.lockPath,
      // Where that is a plain file.
      this.walDir,
      this.manifestPath,
      ...this.blocks.map((block) => this.pathOf(block)),
      ...this.overlapsFiles(),
      ...(await this.losses()).map(({ path }) => path),
    ]);
    const isSegment = new RegExp(`^${RegExp.escape(join(this.dir, WAL_DIR))}/[0-9]+\\.wal$`);
    return readdirSync(this.dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !known.has(path) && !isSegment.test(path))
      .map((path) => ({ path, sizeBytes: statSync(path).size }));
  }
}

/**
 * Makes sure that a directory holds a store, so that a mistyped name does not make an empty one.
 * @throws {SpoorError} invalid_argument: there is none; corrupt: its manifest is missing; unavailable: nobody knows
 */
export function requireStore(dir: string): void {
  try {
    if (isThere(join(dir, MANIFEST_FILE))) return;
    if (!isThere(dir)) throw storeError('invalid_argument', dir, 'there is no such directory');
    if (isThere(join(dir, TENANTS_DIR)) || isThere(join(dir, WAL_DIR))) {
      throw storeError(
        'corrupt',
        dir,
        `its ${MANIFEST_FILE} is missing; a start of spoor makes a new one, of the files of the blocks and what the log still holds; what was deleted last may be back then, unless ${MANIFEST_FILE} is restored from a backup first`,
      );
    }
    const why = `no Spoor store is in it: there is no ${MANIFEST_FILE}`;
    throw storeError('invalid_argument', dir, why);
  } catch (error) {
    throw error instanceof SpoorError ? error : directoryError(dir, error);
  }
}

function storeError(code: 'invalid_argument' | 'corrupt', dir: string, why: string): SpoorError {
  return new SpoorError(code, `data directory ${dir}: ${why}`);
}

/** Whether a file is there; not seeing it is another thing, and thrown. */
function isThere(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(fileErrorCode(error))) return false;
    throw error;
  }
}
