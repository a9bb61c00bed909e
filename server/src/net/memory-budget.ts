// SPDX-License-Identifier: Apache-2.0
import { BufferPool } from './buffer-pool.ts';
import { ComingBodies } from './coming-bodies.ts';

/** Usual size of the budget for request bodies in flight: as much as the largest body that can be configured. */
const DEFAULT_IN_FLIGHT_BYTES = 64 * 1024 * 1024;

/**
 * Lent also when the process is near its limit: some requests of the usual size. What else takes the memory may stay for long,
 * and must not stop everything.
 */
const TIGHT_BYTES = 5 * 1024 * 1024;

/** Lent also when the process comes near that: a body of the usual largest size, or some dozens of usual ones. */
const CLOSE_BYTES = 20 * 1024 * 1024;

/** State of a {@link MemoryBudget} for the metrics. */
export interface MemoryBudgetFigures {
  readonly limitBytes: number;
  readonly usedBytes: number;
  /** Highest `usedBytes` since the start. */
  readonly peakBytes: number;
  /** Leases that are not released yet. */
  readonly leases: number;
  /** Reservations and growths that found no room. */
  readonly refusals: number;
  /** Bytes of free buffers that wait for use; they come on top of `usedBytes`. */
  readonly pooledBytes: number;
}

/** What leases are taken from: the whole {@link MemoryBudget}, or a share of it. */
export interface BodyBudget {
  /** Bytes that it can have lent at most. */
  readonly limitBytes: number;
  /** Free buffers for the next bodies. */
  readonly pool: BufferPool;
  /** A lease of `bytes`, or undefined when they don't fit now. The caller must release it. */
  reserve(bytes: number): MemoryLease | undefined;
  /** Takes bytes for a lease; false, and nothing taken, when they don't fit. */
  take(bytes: number): boolean;
  /** Gives bytes of a lease back; `last` ends the lease. */
  giveBack(bytes: number, last: boolean): void;
}

/** What else holds a {@link MemoryBudget} back. */
export interface MemoryPressure {
  /**
   * Bytes that are worked off soon enough for their senders. Beyond, nothing new is taken; what was begun goes on, since
   * the effort for it would be lost.
   */
  readonly soonBytes: () => number;
  /** Called before each reservation. */
  readonly beforeReserve?: () => void;
}

const NO_PRESSURE: MemoryPressure = { soonBytes: () => Infinity };

/**
 * Bytes that request bodies in flight may hold together, shared by all receivers.
 *
 * Memory is reserved *before* it is taken: a body that finds no room is refused before it is
 * read, so that overload costs an answer and no memory.
 */
export class MemoryBudget implements BodyBudget {
  readonly limitBytes: number;
  readonly pool = new BufferPool();
  #usedBytes = 0;
  /** Lent at most, as the process is now. */
  #openBytes: number;
  #peakBytes = 0;
  #leases = 0;
  #refusals = 0;

  readonly #pressure: MemoryPressure;
  readonly #coming: ComingBodies;

  /** @param nowMs monotonic clock in ms */
  constructor(
    limitBytes: number = DEFAULT_IN_FLIGHT_BYTES,
    pressure: MemoryPressure = NO_PRESSURE,
    nowMs: () => number = () => performance.now(),
  ) {
    this.limitBytes = limitBytes;
    this.#openBytes = limitBytes;
    this.#pressure = pressure;
    this.#coming = new ComingBodies(nowMs);
  }

  /** @param payer what the lease grows from and is given back to, when that is a share of this budget */
  reserve(bytes: number, payer: BodyBudget = this): MemoryLease | undefined {
    this.#pressure.beforeReserve?.();
    this.freeSlow();
    if (this.queueBytes <= 0) {
      this.countRefusal();
      return undefined;
    }
    if (!this.take(bytes)) return undefined;
    this.#leases++;
    return new MemoryLease(payer, bytes, this.#coming);
  }

  /** Takes the room back that bodies hold which are slow in coming; see {@link MemoryLease.watch}. */
  freeSlow(): void {
    this.#coming.tellSlow();
  }

  take(bytes: number): boolean {
    if (bytes > this.freeBytes) {
      this.countRefusal();
      return false;
    }
    this.#usedBytes += bytes;
    if (this.#usedBytes > this.#peakBytes) this.#peakBytes = this.#usedBytes;
    return true;
  }

  /** By how much what is in flight is less than what is worked off soon; at 0 or below nothing new is taken. */
  get queueBytes(): number {
    return this.#pressure.soonBytes() - this.#usedBytes;
  }

  /** Bytes that can be lent now. */
  get freeBytes(): number {
    return Math.max(0, this.#openBytes - this.#usedBytes);
  }

  /**
   * Says how much more memory the process may take before it is near its limit, for whatever reason; 0 or less: it is. A burst of
   * bodies may come until this is said again, and the memory that they and what is made of them take may stay.
   */
  noteRoom(bytes: number): void {
    const open = bytes <= 0 ? TIGHT_BYTES : Math.max(CLOSE_BYTES, this.#usedBytes + bytes);
    this.#openBytes = Math.min(open, this.limitBytes);
  }

  /** Counts a reservation that a share of this budget has no room for. */
  countRefusal(): void {
    this.#refusals++;
  }

  giveBack(bytes: number, last: boolean): void {
    this.#usedBytes -= bytes;
    if (last) this.#leases--;
  }

  get figures(): MemoryBudgetFigures {
    return {
      limitBytes: this.limitBytes,
      usedBytes: this.#usedBytes,
      peakBytes: this.#peakBytes,
      leases: this.#leases,
      refusals: this.#refusals,
      pooledBytes: this.pool.freeBytes,
    };
  }
}

/** A share of a {@link MemoryBudget}. Once released it stays empty and refuses to grow. */
export class MemoryLease {
  readonly #budget: BodyBudget;
  readonly #coming: ComingBodies;
  #bytes: number;
  #buffers: Uint8Array[] = [];
  #released = false;

  constructor(budget: BodyBudget, bytes: number, coming: ComingBodies) {
    this.#budget = budget;
    this.#coming = coming;
    this.#bytes = bytes;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes that the whole budget has. */
  get limitBytes(): number {
    return this.#budget.limitBytes;
  }

  /** Holds `bytes` more; false, and nothing changed, when they don't fit. */
  grow(bytes: number): boolean {
    if (this.#released || !this.#budget.take(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  /** Holds `bytes` fewer, at most all of them. */
  shrink(bytes: number): void {
    const given = Math.min(bytes, this.#bytes);
    this.#bytes -= given;
    this.#budget.giveBack(given, false);
  }

  /** Holds at most `bytes`: the rest is taken again when it is needed, if there is room then. */
  trim(bytes: number): void {
    if (this.#bytes > bytes) this.shrink(this.#bytes - bytes);
  }

  /**
   * It is for a body that begins to come.
   * @param onSlow gives back what it holds beyond what has come; called once at most, when the body is slow in coming
   */
  watch(onSlow: () => void): void {
    this.#coming.begin(this, onSlow);
  }

  /** The body has come. */
  unwatch(): void {
    this.#coming.end(this);
  }

  /** A buffer that lives as long as the lease; the caller has reserved its size. */
  allocate(bytes: number): Uint8Array {
    const buffer = this.#budget.pool.take(bytes);
    this.#buffers.push(buffer);
    return buffer;
  }

  /** Gives one buffer back before the rest; what was not allocated here is left alone. */
  discard(buffer: Uint8Array): void {
    const index = this.#buffers.indexOf(buffer);
    if (index < 0) return;
    this.#buffers.splice(index, 1);
    this.#budget.pool.giveBack(buffer);
  }

  /**
   * Gives everything back, its buffers too: they become other bodies at once, so nobody may read
   * or write them any more. Does nothing the second time.
   */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.unwatch();
    for (const buffer of this.#buffers) this.#budget.pool.giveBack(buffer);
    this.#buffers = [];
    this.#budget.giveBack(this.#bytes, true);
    this.#bytes = 0;
  }
}
