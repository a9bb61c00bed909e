// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { RequestRecord } from '#storage/tracestore.ts';
import { CHECK_MS, type DiskSpace } from '../files/disk-space.ts';
import type { Head } from '../head/head.ts';
import { BLOCK_OVERHEAD_BYTES, Slab, type SlabRoom } from '../head/slab.ts';
import type { TenantNumbers } from '../head/tenant-numbers.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { Wal } from '../wal/wal.ts';

/** So many times the tenants that may have spans in the head may have blocks: each costs a directory and work in every pass over them. */
const STORED_TENANTS = 10;

/** What a {@link SpanWriter} writes to. */
export interface SpanWriterParts {
  readonly head: Pick<Head, 'place' | 'seal' | 'settled' | 'tenantNumbers'>;
  readonly tenants: TenantNumbers;
  readonly maxTenants: number;
  readonly space: Pick<DiskSpace, 'freeBytes' | 'minFreeBytes' | 'shortage' | 'shortageFor'>;
  readonly nowMs: () => number;
  /** Time since some moment, which nobody can set. */
  readonly passedMs: () => number;
  /** To make room for others, tenants with spans in the head are sealed no more often than this (ms). */
  readonly sealPauseMs: number;
}

/** What of an open store is written to. */
interface OpenLog {
  readonly wal: Pick<Wal, 'append' | 'failed'>;
  readonly manifest: Pick<Manifest, 'failed' | 'hasTenant' | 'tenantCount'>;
}

/** Writes spans: into a slab, from there to the log, and to be seen once that is durable. */
export class SpanWriter {
  readonly #parts: SpanWriterParts;
  /** When the head was sealed so that other tenants can have spans in it (passed ms). */
  #tenantsSealedMs = -Infinity;
  /** When it was sealed since there was no room on the disk for more in it (passed ms). */
  #roomSealedMs = -Infinity;
  #lastMs = 0;
  #spans = 0;

  constructor(parts: SpanWriterParts) {
    this.#parts = parts;
  }

  /** When the last write began (passed ms). */
  get lastMs(): number {
    return this.#lastMs;
  }

  /** Spans that were made durable. */
  get spans(): number {
    return this.#spans;
  }

  /**
   * Resolves when the spans are durable and found; the batch is copied at once.
   * @throws {SpoorError} unavailable, overloaded, at once or later; too_large
   */
  write(
    { wal, manifest }: OpenLog,
    tenant: Tenant,
    batch: SpanBatch,
    requests: readonly RequestRecord[],
  ): Promise<void> {
    const { head, space, passedMs } = this.#parts;
    // What could never be sealed is not taken either: the head would be full soon.
    if (manifest.failed !== undefined) throw new SpoorError('unavailable', manifest.failed);
    const shortage = space.shortageFor(Slab.sizeOf(batch) + BLOCK_OVERHEAD_BYTES);
    if (shortage !== undefined) {
      this.#sealForRoom();
      throw shortage;
    }
    const number = this.#tenantNumber(manifest, tenant);
    this.#lastMs = passedMs();
    return head.place(batch, number, this.#appender(wal, { tenant, requests }, batch.rows));
  }

  /** @throws {SpoorError} overloaded: too many tenants have spans in the head; then they are sealed, so that others have their turn */
  #tenantNumber(manifest: OpenLog['manifest'], tenant: Tenant): number {
    const { head, tenants, maxTenants, passedMs, sealPauseMs } = this.#parts;
    const maxStored = maxTenants * STORED_TENANTS;
    if (manifest.tenantCount >= maxStored && !manifest.hasTenant(tenant)) {
      throw new SpoorError(
        'overloaded',
        `tenant ${tenant} would be one more than the ${maxStored} that may have spans in the store`,
      );
    }
    try {
      return tenants.take(tenant, () => head.tenantNumbers());
    } catch (error) {
      const nowMs = passedMs();
      // It makes a block for each of them.
      if (nowMs - this.#tenantsSealedMs >= sealPauseMs) {
        this.#tenantsSealedMs = nowMs;
        head.seal();
      }
      throw error;
    }
  }

  /** Blocks take less room than is kept for them, and segments whose spans are all in blocks can be used again. */
  #sealForRoom(): void {
    const { head, space, passedMs } = this.#parts;
    const nowMs = passedMs();
    // What is kept free in any case is not for making room.
    if (space.freeBytes < space.minFreeBytes || nowMs - this.#roomSealedMs < CHECK_MS) return;
    this.#roomSealedMs = nowMs;
    head.seal();
  }

  /** Appends what is in a room of a slab to the log, and makes it visible once it is durable. */
  #appender(
    wal: OpenLog['wal'],
    record: { readonly tenant: Tenant; readonly requests: readonly RequestRecord[] },
    rows: number,
  ): (room: SlabRoom) => Promise<void> {
    const { head, nowMs, passedMs, space } = this.#parts;
    return async (room) => {
      const { slab } = room;
      try {
        // It may have waited for its room in the slab.
        if (space.shortage !== undefined) throw space.shortage;
        const { lastSequence } = await wal.append([
          { ...record, writtenUnixMs: nowMs(), batch: room.bytes },
        ]);
        slab.commit(room, lastSequence, passedMs());
        this.#spans += rows;
      } catch (error) {
        slab.abandon(room, rows);
        head.settled(slab);
        if (wal.failed === undefined) this.#sealForRoom();
        throw error;
      }
      head.settled(slab);
    };
  }
}
