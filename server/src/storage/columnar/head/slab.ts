// SPDX-License-Identifier: Apache-2.0
import { SpanBatch } from '@spoor/core/model/span-batch.ts';

/**
 * Memory of a slab. Three of them take 48 MiB; at 150 to 170 bytes a span one
 * holds 100,000.
 */
export const SLAB_BYTES = 16 << 20;

/** A slab is sealed at so many spans: enough for blocks that compress well, few enough to seal within a second. */
export const SLAB_ROWS = 131_072;

/**
 * Or at so many batches. Whatever is in one, it takes 3.5 KiB of heap on the thread that answers questions, and 20 µs there and when it is
 * sealed: these take 28 MiB, and as many batches of one span as a slab has room for, 34,000, take 120. A slab is full before of batches of
 * ten spans (7,000 of them), which one such sender alone makes.
 */
export const SLAB_BATCHES = 8192;

/** Before each batch: bytes, number of its tenant, rows, 0 (u32 each). Batches begin at multiples of 8. */
const ENTRY_HEADER_BYTES = 16;

/**
 * What a block takes beside its share of the slab's bytes, which it is never larger than: a thousand bytes of its own, the rest of
 * its last block of the disk, and a directory where its tenant is new.
 */
export const BLOCK_OVERHEAD_BYTES = 10 << 10;

/** Tenant number of a batch that was not made durable and is never read. */
const DEAD = 0xffffffff;

/** What a reader may see of a slab: a batch is complete below `committed`, and stays while the slab is held. */
export interface SlabView {
  readonly id: number;
  /** Counts the uses of the slab's memory, so that a reader knows when what it remembers is another life's. */
  readonly generation: number;
  readonly buffer: SharedArrayBuffer;
  readonly committed: number;
}

/** A batch in a slab. */
export interface SlabEntry {
  readonly tenantNumber: number;
  readonly batch: SpanBatch;
}

/** Room for one batch in a slab. */
export interface SlabRoom {
  readonly slab: Slab;
  readonly start: number;
  readonly end: number;
  /** Where the batch goes. */
  readonly bytes: Uint8Array;
}

/**
 * A piece of shared memory that batches are put into one after the other, as they are: the write-ahead log writes from
 * here, searches read here, and the worker that seals the slab reads here too. Nothing in it moves or changes until it
 * is free again.
 */
export class Slab {
  readonly id: number;
  readonly buffer: SharedArrayBuffer;
  generation = 1;
  rows = 0;
  batches = 0;
  /** When the first batch was taken (passed ms); Infinity without one that is visible. */
  firstMs = Infinity;
  /** Sequences of the first and last batch in the log; sealing the slab makes all up to the last superfluous there. */
  firstSequence = 0;
  lastSequence = 0;
  /** Batches whose commit is under way. */
  pending = 0;
  /** Readers that hold the slab. */
  pins = 0;
  /** Numbers of the tenants whose batches were put in. */
  readonly numbers = new Set<number>();
  #used = 0;
  #committed = 0;
  readonly #words: Uint32Array;

  constructor(id: number, sizeBytes = SLAB_BYTES) {
    this.id = id;
    this.buffer = new SharedArrayBuffer(sizeBytes);
    this.#words = new Uint32Array(this.buffer);
  }

  get isEmpty(): boolean {
    return this.#used === 0;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /** What sealing it may take of the disk, at most. */
  get sealBytes(): number {
    return this.#used + this.numbers.size * BLOCK_OVERHEAD_BYTES;
  }

  /** Takes room for a batch, or undefined when there is too little. */
  reserve(batch: SpanBatch, tenantNumber: number): SlabRoom | undefined {
    const start = this.#used;
    const end = start + Slab.sizeOf(batch);
    if (end > this.buffer.byteLength) return undefined;
    this.#used = end;
    this.rows += batch.rows;
    this.batches++;
    this.pending++;
    this.numbers.add(tenantNumber);
    this.#words.set([batch.bytes.length, tenantNumber, batch.rows, 0], start / 4);
    const bytes = new Uint8Array(this.buffer, start + ENTRY_HEADER_BYTES, batch.bytes.length);
    bytes.set(batch.bytes);
    return { slab: this, start, end, bytes };
  }

  /**
   * Makes a batch visible. Commits come in the order of the reservations.
   * @param takenMs when it was taken (passed ms)
   */
  commit(room: SlabRoom, sequence: number, takenMs: number): void {
    this.pending--;
    if (this.#committed === 0) {
      this.firstSequence = sequence;
      this.firstMs = takenMs;
    }
    this.lastSequence = sequence;
    this.#committed = room.end;
  }

  /** Gives a batch up; its room stays empty. */
  abandon(room: SlabRoom, rows: number): void {
    this.pending--;
    this.rows -= rows;
    this.#words[room.start / 4 + 1] = DEAD;
  }

  /** What can be read now. */
  view(): SlabView {
    return {
      id: this.id,
      generation: this.generation,
      buffer: this.buffer,
      committed: this.#committed,
    };
  }

  /** Numbers of the tenants that have spans here, in order of appearance. */
  tenantNumbers(): number[] {
    const numbers = new Set<number>();
    for (let at = 0; at < this.#committed;) {
      const number = this.#words[at / 4 + 1]!;
      if (number !== DEAD) numbers.add(number);
      at += ENTRY_HEADER_BYTES + ((this.#words[at / 4]! + 7) & ~7);
    }
    return [...numbers];
  }

  /** Makes the slab empty, for its next use. */
  recycle(): void {
    this.generation++;
    this.rows = 0;
    this.batches = 0;
    this.firstMs = Infinity;
    this.numbers.clear();
    this.#used = 0;
    this.#committed = 0;
  }

  /** Room that a batch takes. */
  static sizeOf(batch: SpanBatch): number {
    return ENTRY_HEADER_BYTES + ((batch.bytes.length + 7) & ~7);
  }
}

/** The batches of a slab from byte `from` on, in order. */
export function* readSlab(view: SlabView, from = 0): Generator<SlabEntry, void, undefined> {
  const words = new Uint32Array(view.buffer);
  let at = from;
  while (at < view.committed) {
    const length = words[at / 4]!;
    const tenantNumber = words[at / 4 + 1]!;
    if (tenantNumber !== DEAD) {
      const bytes = new Uint8Array(view.buffer, at + ENTRY_HEADER_BYTES, length);
      yield { tenantNumber, batch: new SpanBatch(bytes) };
    }
    at += ENTRY_HEADER_BYTES + ((length + 7) & ~7);
  }
}
