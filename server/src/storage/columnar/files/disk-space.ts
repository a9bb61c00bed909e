// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Logger } from '#telemetry/logger.ts';
import type { Later } from '#later.ts';
import type { DirectoryLock, StoreFiles } from './store-files.ts';

/** How often the disk is looked at. What the store itself writes meanwhile is counted. */
export const CHECK_MS = 1000;

/** On a small disk the reserve is no more than this share of it. */
const MAX_SHARE = 0.05;

/** Gives up a claim on room. */
export type ReleaseRoom = () => Promise<void>;

/** Options of {@link DiskSpace}. */
export interface DiskSpaceOptions {
  readonly files: StoreFiles;
  /** The data directory. */
  readonly dir: string;
  /** Bytes that stay free; on a small disk 5 % of it, or what {@link takenBytes} says. */
  readonly minFreeBytes: number;
  /** What sealing the spans that were taken may take. */
  readonly takenBytes: () => number;
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
  #minFreeBytes = 0;
  /** Of the free bytes, what somebody is writing. */
  #claimedBytes = 0;
  /** Whether the log says that there is too little. */
  #isTold = false;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  constructor(options: DiskSpaceOptions) {
    this.#options = options;
  }

  /** Free when it was last looked at; Infinity when that is not known. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Bytes that stay free, now: never less than sealing may take. */
  get reserveBytes(): number {
    return Math.max(this.#minFreeBytes, this.#options.takenBytes());
  }

  /** Bytes that stay free, whatever was taken. */
  get minFreeBytes(): number {
    return this.#minFreeBytes;
  }

  /** Why nothing new may be written for now; undefined while there is room. */
  get shortage(): SpoorError | undefined {
    return this.shortageFor(0);
  }

  /** Why no spans may be taken whose sealing may take so many bytes; undefined while there is room. */
  shortageFor(bytes: number): SpoorError | undefined {
    const reserve = Math.max(this.#minFreeBytes, this.#options.takenBytes() + bytes);
    const free = this.#freeBytes - this.#claimedBytes;
    if (free >= reserve) return undefined;
    return new SpoorError(
      'unavailable',
      `data directory ${this.#options.dir}: ${mib(free)} are free on its disk, and ${mib(reserve)} are kept free: no new spans are taken until there is room`,
      { retryAfterMs: CHECK_MS },
    );
  }

  /** Whether so many bytes can be written without touching the reserve. */
  hasRoomFor(bytes: number): boolean {
    return this.#freeBytes - this.#claimedBytes - bytes >= this.reserveBytes;
  }

  /**
   * Keeps so many bytes for a file that is going to be made, as the disk is now.
   * @returns to be called when it is made, or was not; undefined: there is not so much room
   */
  async claim(bytes: number): Promise<ReleaseRoom | undefined> {
    await this.look();
    if (!this.hasRoomFor(bytes)) return undefined;
    this.#claimedBytes += bytes;
    return async () => {
      await this.look();
      this.#claimedBytes -= bytes;
    };
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
    if (!this.#isClosed && (await this.#lock?.isLost()) === true) {
      this.#options.onLost();
      return;
    }
    try {
      const { freeBytes, totalBytes } = await files.space(dir);
      this.#freeBytes = freeBytes;
      this.#minFreeBytes = Math.min(minFreeBytes, totalBytes * MAX_SHARE);
    } catch {
      // What cannot be looked at is written to until a write fails.
      this.#freeBytes = Infinity;
    }
    const { shortage } = this;
    if (shortage !== undefined && !this.#isTold) logger.warn({}, shortage.message);
    if (shortage === undefined && this.#isTold) {
      logger.info({}, `data directory ${dir}: there is room again, new spans are taken`);
    }
    this.#isTold = shortage !== undefined;
  }
}

/** A size for a message. */
export function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
