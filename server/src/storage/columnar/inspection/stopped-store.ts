// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { blockPath, TENANTS_DIR } from '../block-path.ts';
import { BlockReader } from '../block-reader.ts';
import { DataLock, LOCK_FILE } from '../data-lock.ts';
import { ByteCache } from '../frame-cache.ts';
import { MANIFEST_FILE } from '../manifest.ts';
import { decodeEdit, type BlockEntry } from '../manifest-edit.ts';
import { decodeManifest } from '../manifest-log.ts';
import { DISK_FILES } from '../store-files.ts';
import { replayWal, type WalDamage, type WalReplay } from '../wal-replay.ts';
import type { WalRecord } from '../wal-record.ts';

const WAL_DIR = 'wal';

/** A data directory that no server has open, to look at: nothing in it is changed. */
export class StoppedStore implements Disposable {
  readonly dir: string;
  /** By tenant and id. */
  readonly blocks: readonly BlockEntry[];
  /** Everything up to this sequence of the log is in blocks. */
  readonly walUpto: number;
  readonly manifestPath: string;
  /** What of the manifest cannot be read, a sentence each. */
  readonly manifestDamage: readonly string[];
  /** Bytes behind the last whole record of the manifest. */
  readonly manifestTornBytes: number;
  readonly #lock: DataLock;
  readonly #tenantUpto = new Map<string, number>();

  private constructor(dir: string, lock: DataLock) {
    this.dir = dir;
    this.#lock = lock;
    this.manifestPath = join(dir, MANIFEST_FILE);
    const bytes = readFileSync(this.manifestPath);
    const log = decodeManifest(bytes, this.manifestPath);
    this.manifestDamage = log.damage;
    this.manifestTornBytes = Math.max(0, bytes.length - log.endBytes);
    const blocks = new Map<string, BlockEntry>();
    let walUpto = 0;
    for (const edit of log.payloads.map(decodeEdit)) {
      for (const { tenant, id } of edit.removeBlocks ?? []) blocks.delete(`${tenant}/${id}`);
      for (const block of edit.addBlocks ?? []) blocks.set(`${block.tenant}/${block.id}`, block);
      for (const { tenant, sequence } of edit.tenantUpto ?? []) {
        this.#tenantUpto.set(tenant, Math.max(sequence, this.#tenantUpto.get(tenant) ?? 0));
      }
      walUpto = Math.max(walUpto, edit.walUpto ?? 0);
    }
    this.walUpto = walUpto;
    this.blocks = [...blocks.values()].sort((a, b) =>
      a.tenant === b.tenant ? a.id - b.id : a.tenant < b.tenant ? -1 : 1,
    );
  }

  /**
   * Takes the lock of a directory and reads its manifest.
   * @throws {SpoorError} invalid_argument: there is no store; unavailable: a process has it open; corrupt: a newer format
   */
  static open(dir: string): StoppedStore {
    requireStore(dir);
    const lock = DataLock.acquire(dir);
    try {
      return new StoppedStore(dir, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#lock.release();
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

  /** Reads the whole log; `onRecord` gets each record, and whether its spans are in no block yet. */
  readLog(
    onRecord: (record: WalRecord, isUnsealed: boolean) => void,
    onDamage: (damage: WalDamage) => void,
  ): Promise<WalReplay> {
    return replayWal({
      files: DISK_FILES,
      dir: join(this.dir, WAL_DIR),
      sealedUpto: this.walUpto,
      onDamage,
      onRecord: (record) => {
        const { tenant, sequence } = record;
        const upto = Math.max(this.walUpto, this.#tenantUpto.get(tenant) ?? 0);
        onRecord(record, sequence > upto);
      },
    });
  }

  /** Files in the directory that are no part of the store, with their sizes: what a crash left, or what was set aside. */
  strayFiles(): { readonly path: string; readonly sizeBytes: number }[] {
    const known = new Set([
      join(this.dir, LOCK_FILE),
      this.manifestPath,
      ...this.blocks.map((block) => this.pathOf(block)),
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
 * @throws {SpoorError} invalid_argument
 */
function requireStore(dir: string): void {
  if (existsSync(join(dir, MANIFEST_FILE))) return;
  const has = (name: string): boolean => existsSync(join(dir, name));
  const why = !existsSync(dir)
    ? 'there is no such directory'
    : has(TENANTS_DIR) || has(WAL_DIR)
      ? `its ${MANIFEST_FILE} is missing; a start of spoor makes a new one of what the log still holds, and sets the blocks aside: restore ${MANIFEST_FILE} from a backup first`
      : `no Spoor store is in it: there is no ${MANIFEST_FILE}`;
  throw new SpoorError('invalid_argument', `data directory ${dir}: ${why}`);
}
