// SPDX-License-Identifier: Apache-2.0
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import type { Logger } from '#telemetry/logger.ts';
import { mib, type DiskSpace } from '../files/disk-space.ts';
import type { Later } from '#later.ts';
import type { LiveBlocks } from '../live/live-blocks.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import type { SealReply, SealRequest } from './seal-worker.ts';
import type { Slab } from '../head/slab.ts';
import { isOutOfSpace } from '../files/store-files.ts';
import type { StoreWork } from '../live/store-work.ts';
import type { TenantNumbers } from '../head/tenant-numbers.ts';
import type { AskedWorker } from '#workers/worker-client.ts';

/**
 * Pause before a seal that failed is tried again, which doubles with each time after that; the spans stay in the head and in the log
 * meanwhile.
 */
const RETRY_MS = 1000;

/** A try may take a second of a processor: what fails each time costs a thirtieth of one. */
const MAX_RETRY_MS = 30_000;

/** On a disk that was too full, so many times the room is worth a try: a block is most often smaller than it may be. */
const GROWTH = 1.25;

/** Dates what comes in now. */
interface SealClock {
  /** Unix epoch ms. */
  dateMs(): number;
  /** Whether that is no provisional date. */
  readonly isSure: boolean;
}

/** What a {@link Sealer} works with. */
export interface SealerParts {
  /** The data directory. */
  readonly dir: string;
  readonly logger: Pick<Logger, 'error'>;
  readonly later: Later;
  readonly worker: AskedWorker<SealRequest, SealReply>;
  readonly blocks: LiveBlocks;
  readonly space: DiskSpace;
  readonly tenants: TenantNumbers;
  readonly work: StoreWork;
  readonly clock: SealClock;
  /** Told why sealing fails, so that nobody waits for it; undefined when it does again. */
  readonly onFailure: (error: SpoorError | undefined) => void;
  /** Told up to which sequence of the log everything is in blocks. */
  readonly onSealed: (uptoSequence: number) => void;
}

/** Turns full slabs into blocks, by a worker; the commit in the manifest is the moment at which one is sealed. */
export class Sealer {
  readonly #parts: SealerParts;
  #isClosed = false;
  #failure: string | undefined;
  #sealedBytes = 0;
  /** Ends the pause before the next try. */
  #endPause: (() => void) | undefined;

  constructor(parts: SealerParts) {
    this.#parts = parts;
  }

  /** Why the last try failed; undefined while all is well. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Size of all blocks that were made. */
  get sealedBytes(): number {
    return this.#sealedBytes;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endPause?.();
    await this.#parts.worker.close();
  }

  /**
   * Writes a slab's spans as blocks and makes them count. Tries until it succeeds.
   * @throws {SpoorError} unavailable: it was closed before
   */
  async seal(slab: Slab): Promise<void> {
    const { blocks, logger, onFailure, space, work } = this.#parts;
    for (let pauseMs = RETRY_MS; !this.#isClosed; pauseMs = Math.min(2 * pauseMs, MAX_RETRY_MS)) {
      try {
        await work.seals.count(() => blocks.alone(() => this.#trySeal(slab)));
        this.#failure = undefined;
        onFailure(undefined);
        return;
      } catch (error) {
        if (this.#isClosed) break;
        const failure = `sealing failed: ${messageOf(error)}`;
        if (failure !== this.#failure) {
          logger.error({ err: error }, `${failure}; it is tried again`);
        }
        this.#failure = failure;
        await space.look();
        if (this.#isClosed) break;
        // On a full disk sealing rests until there is as much room as it may take; trying would be half a second of CPU each time.
        const isFull = isOutOfSpace(error);
        const room = isFull
          ? `; it may take ${mib(slab.sealBytes)}, and ${mib(space.freeBytes)} are free`
          : '';
        onFailure(
          new SpoorError('unavailable', failure + room, { cause: error, retryAfterMs: pauseMs }),
        );
        if (isFull) pauseMs = RETRY_MS;
        const { freeBytes } = space;
        do {
          await this.#pause(pauseMs);
        } while (!this.#isClosed && isFull && !this.#hasRoomFor(slab, freeBytes));
      }
    }
    throw new SpoorError('unavailable', 'the store was shut down before all was sealed');
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#parts.later(resolve, ms);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }

  /** @param tooLittleBytes were free when it failed */
  #hasRoomFor(slab: Slab, tooLittleBytes: number): boolean {
    const { freeBytes, minFreeBytes } = this.#parts.space;
    return freeBytes >= Math.min(slab.sealBytes, Math.max(minFreeBytes, GROWTH * tooLittleBytes));
  }

  async #trySeal(slab: Slab): Promise<void> {
    const { blocks, clock, dir, onSealed, space, tenants, worker } = this.#parts;
    // Blocks that cannot be committed would only fill the disk, one after the other.
    if (blocks.failed !== undefined) throw new SpoorError('unavailable', blocks.failed);
    const view = slab.view();
    const blockIds = slab.tenantNumbers().map(() => blocks.takeId());
    const releaseFiles = blocks.hold();
    const reply = await worker
      .request((id) => ({ id, dir, slab: view, tenants: tenants.names, blockIds }))
      .finally(releaseFiles);
    blocks.noteDamage(reply.damaged);
    if ('error' in reply) {
      const { error, stack, fileError } = reply;
      throw Object.assign(new Error(error), { stack, code: fileError });
    }
    // While the room of the spans is still kept: that of the blocks must not be thought free.
    await space.look();
    // Its spans count as not stored, and may be in what took its place.
    const gone = reply.damaged.find((block) => !blocks.has(block));
    if (gone !== undefined) {
      await blocks.discard(reply.blocks);
      throw new SpoorError('unavailable', `${gone.reason}; the block was merged meanwhile`);
    }
    const mark = clock.isSure ? {} : { isUndated: true };
    const dated = { createdUnixMs: clock.dateMs(), ...mark };
    const sealed = reply.blocks.map((block): BlockEntry => ({
      tenant: block.tenant,
      id: block.id,
      level: 0,
      spans: block.rows,
      traces: block.traces,
      sizeBytes: block.bytes,
      minStartUnixNano: block.minStartUnixNano,
      maxStartUnixNano: block.maxStartUnixNano,
      ...dated,
      firstSequence: slab.firstSequence,
      lastSequence: slab.lastSequence,
    }));
    await blocks.commit({ addBlocks: sealed, walUpto: slab.lastSequence });
    this.#sealedBytes += sealed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    onSealed(slab.lastSequence);
  }
}
