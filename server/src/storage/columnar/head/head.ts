// SPDX-License-Identifier: Apache-2.0
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { SLAB_BATCHES, SLAB_BYTES, SLAB_ROWS, Slab, type SlabRoom, type SlabView } from './slab.ts';

/**
 * Slabs that rotate: one open, one being sealed, one in reserve for a burst. One that is sealed while a question still reads it is left
 * to the question where writers would have to wait for it: of these there are as many as the questions under way hold, two of
 * which see three slabs each.
 */
const SLABS = 3;

/** A batch above this gets a slab of its own size, for once. */
const LARGE_BATCH_BYTES = SLAB_BYTES / 2;

/** Options of {@link Head}. */
export interface HeadOptions {
  /**
   * Seals a slab: when it resolves, the spans can be found in blocks, and the slab is emptied as soon as no reader holds it. When it
   * rejects it was given up: the spans stay where they are, and it is not tried again.
   * Called for one slab at a time, in the order in which they were filled.
   */
  readonly seal: (slab: Slab) => Promise<void>;
  readonly slabRows?: number;
  readonly slabBatches?: number;
}

/** A batch that waits for room. */
interface WaitingBatch {
  readonly tenantNumber: number;
  /** Of the first that waits. It never throws: who makes room has no part in what becomes of the batch. */
  readonly retry: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The spans that are not in a block yet. Batches wait here for room, in order: a store that cannot seal as fast as it is written
 * to slows its writers down instead of growing.
 */
export class Head {
  readonly #seal: (slab: Slab) => Promise<void>;
  readonly #slabRows: number;
  readonly #slabBatches: number;
  /** Slabs with spans, oldest first, and what to do once each is sealed; the last one is open unless `#open` is undefined. */
  readonly #filled = new Map<Slab, PromiseWithResolvers<void>>();
  readonly #free: Slab[] = [];
  /** Sealed ones of those that rotate, which readers still hold. */
  readonly #held = new Set<Slab>();
  #open: Slab | undefined;
  #slabCount = 0;
  #nextId = 1;
  readonly #waiting: WaitingBatch[] = [];
  /** Why nothing may wait; undefined: it may. */
  #refusal: unknown;
  #sealing: Promise<void> = Promise.resolve();

  constructor(options: HeadOptions) {
    this.#seal = options.seal;
    this.#slabRows = options.slabRows ?? SLAB_ROWS;
    this.#slabBatches = options.slabBatches ?? SLAB_BATCHES;
  }

  /** Spans that are in no block. */
  get rows(): number {
    return this.#filled.keys().reduce((sum, slab) => sum + slab.rows, 0);
  }

  get usedBytes(): number {
    return this.#filled.keys().reduce((sum, slab) => sum + slab.usedBytes, 0);
  }

  /** What sealing all of it may take of the disk, at most. */
  get sealBytes(): number {
    return this.#filled.keys().reduce((sum, slab) => sum + slab.sealBytes, 0);
  }

  /** When the oldest batch was taken that waits for its slab to be full (passed ms); Infinity without one. */
  get waitsSinceMs(): number {
    return this.#open?.firstMs ?? Infinity;
  }

  /** Writers that wait for room. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Numbers of the tenants that have batches here, or such that wait. */
  tenantNumbers(): Set<number> {
    const numbers = new Set(this.#waiting.map(({ tenantNumber }) => tenantNumber));
    for (const slab of this.#filled.keys()) for (const number of slab.numbers) numbers.add(number);
    return numbers;
  }

  /**
   * Copies a batch to where there is room and calls `use` in that very moment, so that batches are committed in the order in
   * which they lie.
   */
  place<Result>(
    batch: SpanBatch,
    tenantNumber: number,
    use: (room: SlabRoom) => Promise<Result>,
  ): Promise<Result> {
    if (this.#waiting.length === 0) {
      let room: SlabRoom | undefined;
      try {
        room = this.#tryPlace(batch, tenantNumber);
      } catch (error) {
        return Promise.reject(error);
      }
      if (room !== undefined) {
        release(batch);
        return use(room);
      }
    }
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    return new Promise((resolve, reject) => {
      const retry = (): void => {
        let later: SlabRoom | undefined;
        try {
          later = this.#tryPlace(batch, tenantNumber);
        } catch (error) {
          this.#waiting.shift();
          reject(error);
          return;
        }
        if (later === undefined) return;
        this.#waiting.shift();
        release(batch);
        use(later).then(resolve, reject);
      };
      this.#waiting.push({ tenantNumber, retry, reject });
    });
  }

  /**
   * Refuses the batches that wait for room, and those to come that would have to wait, because there will be none soon.
   * Without an error they may wait again.
   */
  refuseWaiting(error: unknown): void {
    this.#refusal = error;
    if (error !== undefined) for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** To be called after each commit or give-up of a batch: a full slab can be sealed once none is under way. */
  settled(slab: Slab): void {
    if (slab !== this.#open && slab.pending === 0) this.#startSealing(slab);
  }

  /** Begins to seal what there is. */
  seal(): void {
    if (this.#open !== undefined && !this.#open.isEmpty) this.#close();
  }

  /**
   * Seals what there is, and waits until everything is in blocks, also what is committed just now.
   * @throws why sealing was given up
   */
  async drain(): Promise<void> {
    this.seal();
    await Promise.all([...this.#filled.values()].map(({ promise }) => promise));
  }

  /** What readers may see; release it when done. */
  pin(): { views: SlabView[]; release: () => void } {
    const slabs = [...this.#filled.keys()].filter((slab) => !slab.isEmpty);
    for (const slab of slabs) slab.pins++;
    return {
      views: slabs.map((slab) => slab.view()),
      release: () => {
        for (const slab of slabs) {
          slab.pins--;
          this.#recycle(slab);
        }
        this.#retryWaiting();
      },
    };
  }

  /** Undefined where there is no room yet. @throws SpoorError where there is no memory to make it */
  #tryPlace(batch: SpanBatch, tenantNumber: number): SlabRoom | undefined {
    const size = Slab.sizeOf(batch);
    if (size > LARGE_BATCH_BYTES) {
      // One at a time, so that a flood of large batches is held to the memory of one.
      if (this.#filled.keys().some(isLarge)) return undefined;
      if (this.#open !== undefined && !this.#open.isEmpty) this.#close();
      // Never of the size of the others, which are used again.
      const slab = this.#makeSlab(size === SLAB_BYTES ? size + 8 : size);
      this.#fill(slab);
      return slab.reserve(batch, tenantNumber);
    }
    if (this.#open !== undefined && !this.#open.isEmpty && this.#isFull(this.#open, batch)) {
      this.#close();
    }
    if (this.#open === undefined) {
      const slab = this.#free.pop() ?? this.#newSlab();
      if (slab === undefined) return undefined;
      this.#open = slab;
      this.#fill(slab);
    }
    return this.#open.reserve(batch, tenantNumber);
  }

  #fill(slab: Slab): void {
    const sealed = Promise.withResolvers<void>();
    // Most often nobody waits for it.
    sealed.promise.catch(() => undefined);
    this.#filled.set(slab, sealed);
  }

  #isFull(slab: Slab, batch: SpanBatch): boolean {
    return (
      slab.rows + batch.rows > this.#slabRows ||
      slab.batches >= this.#slabBatches ||
      slab.usedBytes + Slab.sizeOf(batch) > slab.buffer.byteLength
    );
  }

  #newSlab(): Slab | undefined {
    const isOneMore = this.#slabCount < SLABS;
    const [held] = this.#held;
    if (!isOneMore && held === undefined) return undefined;
    const slab = this.#makeSlab(SLAB_BYTES);
    if (isOneMore) this.#slabCount++;
    // Its readers have the memory for themselves from now on.
    else this.#held.delete(held!);
    return slab;
  }

  #makeSlab(bytes: number): Slab {
    try {
      return new Slab(this.#nextId++, bytes);
    } catch (cause) {
      const what = `no memory for ${bytes} bytes of new spans: ${messageOf(cause)}`;
      throw new SpoorError('overloaded', what, { cause });
    }
  }

  #close(): void {
    const slab = this.#open!;
    this.#open = undefined;
    if (slab.pending === 0) this.#startSealing(slab);
  }

  /** Slabs become ready in the order in which they were filled, since commits resolve in order. */
  #startSealing(slab: Slab): void {
    this.#sealing = this.#sealing.then(async () => {
      const sealed = this.#filled.get(slab);
      try {
        if (slab.rows > 0) await this.#seal(slab);
      } catch (error) {
        this.refuseWaiting(error);
        sealed?.reject(error);
        return;
      }
      this.#filled.delete(slab);
      if (!isLarge(slab)) this.#held.add(slab);
      this.#recycle(slab);
      this.#retryWaiting();
      sealed?.resolve();
    });
  }

  /** Uses the memory of a slab again, once it is sealed and nobody reads it. */
  #recycle(slab: Slab): void {
    if (slab.pins > 0 || !this.#held.delete(slab)) return;
    slab.recycle();
    this.#free.push(slab);
  }

  #retryWaiting(): void {
    let before = -1;
    while (this.#waiting.length > 0 && this.#waiting.length !== before) {
      before = this.#waiting.length;
      this.#waiting[0]!.retry();
    }
  }
}

/** Whether a slab was made for one large batch. */
function isLarge(slab: Slab): boolean {
  return slab.buffer.byteLength !== SLAB_BYTES;
}

/** Frees the memory of a batch that was taken over, at once: left to the collector, half a second of them is 50 MB. */
function release({ bytes }: SpanBatch): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length) buffer.transfer(0);
}
