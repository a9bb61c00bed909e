// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import { type DirectoryLock, fileErrorCode } from '../files/store-files.ts';
import { foreignStore } from './foreign-store.ts';

/** Name of the lock file in a data directory. */
export const LOCK_FILE = 'LOCK';

/** SQLite's result code for "another connection holds the lock". */
const SQLITE_BUSY = 5;

/** Keeps a directory from being changed while it is read. */
export interface ReadLock {
  /** May be called more than once. */
  release(): void;
}

/**
 * Exclusive hold on a data directory, by a lock on its file `LOCK`. The kernel releases it when the process
 * ends in any way, so there is never a stale lock to remove.
 *
 * Node has no `flock`; an exclusive transaction of SQLite is the same lock, and SQLite also sees a second
 * holder in the same process. Nothing else may open `LOCK`: closing any descriptor of it would drop a POSIX lock.
 */
export class DataLock implements DirectoryLock {
  readonly #database: DatabaseSync;
  readonly #path: string;
  /** Which file it is, on which device: it stays open, so no other one gets this number. */
  readonly #file: string;

  private constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
    this.#file = identityOf(statSync(path));
  }

  /**
   * Locks an existing directory.
   * @throws {SpoorError} config when the data of another program is in it: nothing was touched then; unavailable when
   * another store holds it or the file cannot be used: nothing else in the directory was touched.
   */
  static acquire(dir: string): DataLock {
    refuseForeign(dir);
    // Without a journal on disk nothing but LOCK ever lies in the directory.
    const lock = begin(dir, false, 'PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    if (typeof lock === 'string') throw lockError(dir, lock);
    return new DataLock(lock, join(dir, LOCK_FILE));
  }

  /**
   * Keeps a directory from being changed by others while it is read, and touches nothing. Others may read it at the same time.
   * @returns what is wrong with the lock file where no server can use it, in words; a lock that holds nothing where there is none that
   * this process can read
   * @throws {SpoorError} as {@link acquire} when another program or store has the directory
   */
  static share(dir: string): ReadLock | string {
    refuseForeign(dir);
    // A store makes it before anything else: without it there is none.
    if (isUnreadable(join(dir, LOCK_FILE))) return { release: () => {} };
    const lock = begin(dir, true, 'BEGIN; SELECT count(*) FROM sqlite_master');
    return typeof lock === 'string' ? lock : new DataLock(lock, join(dir, LOCK_FILE));
  }

  /** Gives the directory free. May be called more than once. */
  release(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  async isLost(): Promise<boolean> {
    try {
      return identityOf(await stat(this.#path)) !== this.#file;
    } catch (error) {
      // What cannot be looked at for another reason may be there still.
      return ['ENOENT', 'ENOTDIR'].includes(fileErrorCode(error));
    }
  }
}

function identityOf({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev} ${ino}`;
}

/** @throws {SpoorError} config when the data of another program is in a directory */
function refuseForeign(dir: string): void {
  const foreign = foreignStore(dir);
  if (foreign === undefined) return;
  throw new SpoorError(
    'config',
    `data directory ${dir}: ${foreign}; give Spoor a directory of its own, --data`,
  );
}

/**
 * Opens the lock file and begins a transaction, which is the lock.
 * @returns what is wrong with the file, in words, where that is not another process
 * @throws {SpoorError} unavailable when another process has it
 */
function begin(dir: string, readOnly: boolean, transaction: string): DatabaseSync | string {
  const path = join(dir, LOCK_FILE);
  let database: DatabaseSync | undefined;
  try {
    // Of a file that it cannot write SQLite would take the lock of a reader, and not say so.
    if (!readOnly && existsSync(path)) accessSync(path, constants.R_OK | constants.W_OK);
    database = new DatabaseSync(path, { timeout: 0, readOnly });
    database.exec(transaction);
    return database;
  } catch (cause) {
    if (database?.isOpen) database.close();
    const code = cause instanceof Error && 'errcode' in cause ? cause.errcode : undefined;
    if (code === SQLITE_BUSY) {
      throw lockError(
        dir,
        'another Spoor process uses it; stop that one, or give this one a directory of its own',
      );
    }
    return lockFlaw(path, readOnly, cause);
  }
}

/** Why a lock file cannot be used, and what can be done; of SQLite's own words none says it. */
function lockFlaw(path: string, readOnly: boolean, cause: unknown): string {
  const file = `lock file ${path}`;
  try {
    accessSync(
      existsSync(path) ? path : dirname(path),
      constants.R_OK | (readOnly ? 0 : constants.W_OK),
    );
    const stats = statSync(path);
    if (!stats.isFile()) return `${file} is no file; remove it: a start makes a new one`;
    return stats.size > 0
      ? `${file} has ${stats.size} bytes that are not of Spoor; remove it while no Spoor process uses the directory: a start makes a new one`
      : `${file} cannot be used: ${messageOf(cause)}`;
  } catch (error) {
    return `${file} cannot be opened: ${messageOf(error)}; run Spoor as the user that owns the directory, and where that can be written`;
  }
}

function lockError(dir: string, why: string): SpoorError {
  return new SpoorError('unavailable', `data directory ${dir}: ${why}`);
}

function isUnreadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return false;
  } catch {
    return true;
  }
}
