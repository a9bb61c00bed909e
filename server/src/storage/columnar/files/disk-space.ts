// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Logger } from '#telemetry/logger.ts';
import type { Later } from '#later.ts';
import type { DirectoryLock, StoreFiles } from './store-files.ts';

/** How often the disk is looked at. Between two looks less is written than the reserve holds. */
const CHECK_MS = 1000;

/** On a small disk the reserve is no more than this share of it. */
const MAX_SHARE = 0.05;

/** Options of {@link DiskSpace}. */
export interface DiskSpaceOptions {
  readonly files: StoreFiles;
  /** The data directory. */
  readonly dir: string;
  /** Bytes that stay free; on a small disk 5 % of it. */
  readonly minFreeBytes: number;
  readonly later: Later;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** Told with each look that the directory is not there any more, or another one. */
  readonly onLost: () => void;
}

/**
 * Watches the space on the disk of a data directory. Below a reserve no new spans are taken: what was taken before can then still
 * be sealed, and the disk is not filled to the last byte, which would be bad for everything else on it.
 */
export class DiskSpace {
  readonly #options: DiskSpaceOptions;
  #lock: Pick<DirectoryLock, 'isLost'> | undefined;
  #freeBytes = Infinity;
  #reserveBytes = 0;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  constructor(options: DiskSpaceOptions) {
    this.#options = options;
  }

  /** Free when it was last looked at; Infinity when that is not known. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Bytes that stay free. */
  get reserveBytes(): number {
    return this.#reserveBytes;
  }

  /** Why nothing new may be written for now; undefined while there is room. */
  get shortage(): SpoorError | undefined {
    if (this.#freeBytes >= this.#reserveBytes) return undefined;
    return new SpoorError(
      'unavailable',
      `data directory ${this.#options.dir}: ${mib(this.#freeBytes)} are free on its disk, and ${mib(this.#reserveBytes)} are kept free: no new spans are taken until there is room`,
      { retryAfterMs: CHECK_MS },
    );
  }

  /** Whether so many bytes can be written without touching the reserve. */
  hasRoomFor(bytes: number): boolean {
    return this.#freeBytes - bytes >= this.#reserveBytes;
  }

  /**
   * Looks at the disk, from now on every second, and whether the directory is still the one that was locked: the files of one that
   * was removed, or is not mounted any more, can be written to all the same as long as they are open.
   */
  async start(lock: Pick<DirectoryLock, 'isLost'>): Promise<void> {
    this.#lock = lock;
    await this.look();
    const again = (): void => {
      if (this.#isClosed) return;
      this.#cancel = this.#options.later(() => void this.look().then(again), CHECK_MS);
    };
    again();
  }

  shutdown(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  /** Looks at the disk now. Never rejects. */
  async look(): Promise<void> {
    const { files, dir, minFreeBytes, logger } = this.#options;
    const before = this.shortage;
    if (!this.#isClosed && (await this.#lock?.isLost()) === true) {
      this.#options.onLost();
      return;
    }
    try {
      const { freeBytes, totalBytes } = await files.space(dir);
      this.#freeBytes = freeBytes;
      this.#reserveBytes = Math.min(minFreeBytes, totalBytes * MAX_SHARE);
    } catch {
      // What cannot be looked at is written to until a write fails.
      this.#freeBytes = Infinity;
    }
    const now = this.shortage;
    if (before === undefined && now !== undefined) logger.warn({}, now.message);
    if (before !== undefined && now === undefined) {
      logger.info({}, `data directory ${dir}: there is room again, new spans are taken`);
    }
  }
}

/** A size for a message. */
export function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
