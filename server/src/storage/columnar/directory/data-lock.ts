// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import { foreignStore } from './foreign-store.ts';

/** Name of the lock file in a data directory. */
export const LOCK_FILE = 'LOCK';

/** SQLite's result code for "another connection holds the lock". */
const SQLITE_BUSY = 5;

/**
 * Exclusive hold on a data directory, by a lock on its file `LOCK`. The kernel releases it when the process
 * ends in any way, so there is never a stale lock to remove.
 *
 * Node has no `flock`; an exclusive transaction of SQLite is the same lock, and SQLite also sees a second
 * holder in the same process. Nothing else may open `LOCK`: closing any descriptor of it would drop a POSIX lock.
 */
export class DataLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /**
   * Locks an existing directory.
   * @throws {SpoorError} config when the data of another program is in it: nothing was touched then; unavailable when
   * another store holds it or the file cannot be used: nothing else in the directory was touched.
   */
  static acquire(dir: string): DataLock {
    const foreign = foreignStore(dir);
    if (foreign !== undefined) {
      throw new SpoorError(
        'config',
        `data directory ${dir}: ${foreign}; give Spoor a directory of its own, --data`,
      );
    }
    const path = join(dir, LOCK_FILE);
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(path, { timeout: 0 });
      // Without a journal on disk nothing but LOCK ever lies in the directory.
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
      return new DataLock(database);
    } catch (cause) {
      if (database?.isOpen) database.close();
      const code = cause instanceof Error && 'errcode' in cause ? cause.errcode : undefined;
      const why =
        code === SQLITE_BUSY
          ? 'another Spoor process uses it; stop that one, or give this one a directory of its own'
          : `its lock file ${LOCK_FILE} cannot be used: ${messageOf(cause)}`;
      throw new SpoorError('unavailable', `data directory ${dir}: ${why}`, { cause });
    }
  }

  /** Gives the directory free. May be called more than once. */
  release(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}
