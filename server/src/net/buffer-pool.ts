// SPDX-License-Identifier: Apache-2.0

/** Buffers below this are cheap to allocate, and small bodies come in one piece anyway. */
const LEAST_POOLED_BYTES = 64 * 1024;
/** Buffers above this are rare and would fill the pool. */
const MOST_POOLED_BYTES = 1024 * 1024;
/** Free buffers kept: as many bodies as are usually in flight at full speed. */
const FREE_BYTES = 8 * 1024 * 1024;

/**
 * Keeps buffers of finished bodies for the next ones.
 *
 * Memory outside the JavaScript heap makes V8 mark the whole heap again and again: without the
 * pool that costs as much CPU as all the rest of receiving a body.
 */
export class BufferPool {
  readonly #free = new Map<number, Uint8Array[]>();
  #freeBytes = 0;

  /** Bytes of the buffers that wait for use. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** A buffer of exactly `bytes`, with undefined content; pooled when `bytes` is a {@link pooledSize}. */
  take(bytes: number): Uint8Array {
    const buffer = this.#free.get(bytes)?.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(bytes);
    this.#freeBytes -= bytes;
    return buffer;
  }

  /** Takes back a buffer that nobody reads or writes any more; what is not kept is freed at once, not when it is collected. */
  giveBack(buffer: Uint8Array): void {
    const bytes = buffer.length;
    if (pooledSize(bytes) !== bytes || this.#freeBytes + bytes > FREE_BYTES) {
      const memory = buffer.buffer;
      if (memory instanceof ArrayBuffer && memory.byteLength === bytes) memory.transfer(0);
      return;
    }
    const free = this.#free.get(bytes);
    if (free === undefined) this.#free.set(bytes, [buffer]);
    else free.push(buffer);
    this.#freeBytes += bytes;
  }
}

/** The size to ask of a {@link BufferPool} for `bytes`: at most half more; `bytes` when it isn't pooled. */
export function pooledSize(bytes: number): number {
  if (bytes < LEAST_POOLED_BYTES || bytes > MOST_POOLED_BYTES) return bytes;
  // Nine sizes: the powers of two, and one and a half times each.
  let size = LEAST_POOLED_BYTES;
  while (size * 2 <= bytes) size *= 2;
  if (size === bytes) return size;
  return bytes <= size * 1.5 ? size * 1.5 : size * 2;
}
