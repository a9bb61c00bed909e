// SPDX-License-Identifier: Apache-2.0

/** Figures of the memory for decoded blocks, since the worker was started. */
export interface CacheFigures {
  readonly bytes: number;
  readonly hits: number;
  readonly misses: number;
}

/** What an entry takes beside its content: its key, its place in the map, and the objects around the bytes. */
export const ENTRY_BYTES = 512;

interface CacheEntry<Value> {
  readonly value: Value;
  readonly bytes: number;
  /** Whether it was asked for since it came, or since it was last spared. */
  wasUsed: boolean;
}

/**
 * Decoded things kept for the next query. The oldest goes first, but one that was used is spared once, and is the youngest then: about
 * as good as the order of use, and to get an entry costs no more than to find it.
 */
export class ByteCache<Value> {
  readonly #entries = new Map<string, CacheEntry<Value>>();
  readonly #maxBytes: number;
  /** Stands before the oldest entry; a new one would pass the empty places of all that went before it, each time. */
  #oldest: MapIterator<[string, CacheEntry<Value>]> | undefined;
  bytes = 0;
  hits = 0;
  misses = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.misses++;
      return undefined;
    }
    this.hits++;
    entry.wasUsed = true;
    return entry.value;
  }

  /** Whether a value of so many bytes can be kept without another one going. */
  hasRoomFor(size: number): boolean {
    return this.bytes + size + ENTRY_BYTES <= this.#maxBytes;
  }

  /** @param size of the value, in bytes */
  set(key: string, value: Value, size: number): void {
    const bytes = size + ENTRY_BYTES;
    const before = this.#entries.get(key);
    if (before !== undefined) {
      this.#entries.delete(key);
      this.bytes -= before.bytes;
    }
    if (bytes > this.#maxBytes / 4) return;
    this.#makeRoom(bytes);
    this.#entries.set(key, { value, bytes, wasUsed: false });
    this.bytes += bytes;
  }

  #makeRoom(bytes: number): void {
    while (this.bytes + bytes > this.#maxBytes) {
      this.#oldest ??= this.#entries.entries();
      const { value: next } = this.#oldest.next();
      if (next === undefined) {
        // What was put back meanwhile was come upon as well.
        this.#oldest = undefined;
        continue;
      }
      const [key, entry] = next;
      this.#entries.delete(key);
      if (entry.wasUsed) {
        entry.wasUsed = false;
        this.#entries.set(key, entry);
      } else {
        this.bytes -= entry.bytes;
      }
    }
  }

  /** Forgets all entries whose key begins with `prefix`. */
  drop(prefix: string): void {
    for (const [key, entry] of this.#entries) {
      if (!key.startsWith(prefix)) continue;
      this.#entries.delete(key);
      this.bytes -= entry.bytes;
    }
  }
}
