// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import { pooledSize } from './buffer-pool.ts';
import type { MemoryLease } from './memory-budget.ts';
import { NO_ROOM_NOW } from './refusal.ts';

/** Smallest buffer that a body of unknown length gets: one read from a socket. */
const FIRST_CAPACITY_BYTES = 64 * 1024;

/**
 * A body of known length is paid for at once up to this size, which most have. Of a larger one only what comes is held, or a few
 * senders that announce much and then send slowly would keep everybody else out.
 */
export const AT_ONCE_BYTES = 256 * 1024;

/** How much larger each next buffer of a body of known length is: all copies together are a third of it. */
const KNOWN_GROWTH = 4;
const LEAST_GROWTH = 1.25;

/** Smallest buffer of a body that is slow in coming. */
const SLOW_CAPACITY_BYTES = 4096;

/** What bounds a {@link BodyBuffer}. */
export interface BodyBounds {
  /** Largest body in bytes. */
  readonly capBytes: number;
  /** Pays for the buffer. Other buffers may draw on it as well; whoever made it releases it. */
  readonly lease: MemoryLease;
  /** Bytes of the lease that are meant for this buffer already. */
  readonly reservedBytes: number;
}

/**
 * Collects one body that comes in pieces.
 *
 * A body that comes in one piece is that piece, without a copy. One of known length is filled
 * into a single allocation up to {@link AT_ONCE_BYTES}, any other into a buffer that grows with it. Pieces are
 * never kept in a list: a body sent byte by byte would cost a hundred times its size.
 */
export class BodyBuffer {
  readonly #capBytes: number;
  readonly #lease: MemoryLease;
  readonly #declaredBytes: number | undefined;
  #reservedBytes: number;
  #bytes: Uint8Array | undefined;
  #length = 0;
  #isSlow = false;
  #isFinished = false;

  /** @param declaredBytes length of the body when it is known; never append more */
  constructor(bounds: BodyBounds, declaredBytes?: number) {
    this.#capBytes = bounds.capBytes;
    this.#lease = bounds.lease;
    this.#reservedBytes = bounds.reservedBytes;
    this.#declaredBytes = declaredBytes;
  }

  /** Bytes appended so far. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds the next piece. It may be kept as it is, so nobody may change it afterwards.
   * @throws {SpoorError} too_large: over the cap; overloaded: the budget is full for now
   */
  append(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#capBytes) throw bodyTooLarge(this.#capBytes);
    if (this.#bytes === undefined && length >= (this.#declaredBytes ?? 0)) {
      this.#reserve(length, length);
      this.#bytes = piece;
    } else {
      if (this.#bytes === undefined || length > this.#bytes.length) this.#enlarge(length);
      this.#bytes!.set(piece, this.#length);
    }
    this.#length = length;
  }

  /** Holds from now on no more than three times what has come, or 4 KiB: the rest is slow in coming. */
  keepSmall(): void {
    if (this.#isFinished) return;
    this.#isSlow = true;
    const bytes = this.#bytes;
    if (bytes !== undefined && bytes.length > this.#length) {
      this.#bytes = this.#lease.allocate(this.#length);
      this.#bytes.set(bytes.subarray(0, this.#length));
      this.#lease.discard(bytes);
    }
    this.#lease.shrink(this.#reservedBytes - this.#length);
    this.#reservedBytes = this.#length;
  }

  /** The body; it lives as long as the lease. Nothing may be appended any more. */
  finish(): Uint8Array {
    this.#isFinished = true;
    const bytes = this.#bytes ?? new Uint8Array(0);
    return bytes.length === this.#length ? bytes : bytes.subarray(0, this.#length);
  }

  /** Gives the memory of the body back to the lease's budget; nobody may read the body any more. */
  discard(): void {
    if (this.#bytes !== undefined) this.#lease.discard(this.#bytes);
    this.#bytes = undefined;
    this.#lease.shrink(this.#reservedBytes);
    this.#reservedBytes = 0;
  }

  #enlarge(length: number): void {
    const mostBytes = this.#declaredBytes ?? this.#capBytes;
    const grownBytes = Math.max(
      this.#firstBytes,
      this.#growth * (this.#bytes?.length ?? 0),
      length,
    );
    const wantedBytes = pooledSize(Math.min(grownBytes, mostBytes));
    // With little room it grows by less, but never by each piece alone.
    const littleBytes = Math.max(Math.ceil(LEAST_GROWTH * length), this.#reservedBytes);
    const leastBytes = Math.min(littleBytes, mostBytes);
    const bytes = this.#lease.allocate(this.#reserve(wantedBytes, leastBytes));
    if (this.#bytes !== undefined) {
      bytes.set(this.#bytes.subarray(0, this.#length));
      this.#lease.discard(this.#bytes);
    }
    this.#bytes = bytes;
  }

  get #firstBytes(): number {
    if (this.#isSlow) return SLOW_CAPACITY_BYTES;
    return this.#declaredBytes === undefined ? FIRST_CAPACITY_BYTES : AT_ONCE_BYTES;
  }

  get #growth(): number {
    return this.#isSlow || this.#declaredBytes === undefined ? 2 : KNOWN_GROWTH;
  }

  // Reserves the wanted capacity, or when that doesn't fit the least that will do. The old
  // buffer is garbage as soon as it is copied, so only the new one is paid for.
  #reserve(wantedBytes: number, leastBytes: number): number {
    if (wantedBytes <= this.#reservedBytes) return wantedBytes;
    for (const capacity of [wantedBytes, leastBytes]) {
      if (this.#lease.grow(Math.max(0, capacity - this.#reservedBytes))) {
        this.#reservedBytes = Math.max(this.#reservedBytes, capacity);
        return capacity;
      }
    }
    const otherBytes = this.#lease.bytes - this.#reservedBytes;
    throw noRoomFor(otherBytes + leastBytes, this.#lease.limitBytes);
  }
}

/** The error for a body over its cap. */
export function bodyTooLarge(capBytes: number, sizeBytes?: number): SpoorError {
  const size = sizeBytes === undefined ? 'is larger' : `has ${sizeBytes} bytes, which is more`;
  return new SpoorError('too_large', `request body ${size} than the limit of ${capBytes} bytes`);
}

/**
 * The error for a request that the budget has no room for: now, or ever.
 * @param bytes what the whole request needs
 */
export function noRoomFor(bytes: number, limitBytes: number): SpoorError {
  if (bytes > limitBytes) {
    return new SpoorError(
      'too_large',
      `request needs ${bytes} bytes, more than the ${limitBytes} bytes for all requests in flight`,
    );
  }
  return NO_ROOM_NOW;
}
