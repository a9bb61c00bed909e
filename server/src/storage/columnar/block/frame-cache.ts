// SPDX-License-Identifier: Apache-2.0

/** Figures of the memory for decoded blocks, since the worker was started. */
export interface CacheFigures {
  readonly bytes: number;
  readonly hits: number;
  readonly misses: number;
}

/** What an entry takes beside its content: its key, its place in the map, and the objects around the bytes. */
export const ENTRY_BYTES = 512;

/** Decoded things kept for the next query, least recently used first out. */
export class ByteCache<Value> {
  readonly #entries = new Map<string, { value: Value; bytes: number }>();
  readonly #maxBytes: number;
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
    // A Map keeps the order of insertion: inserting again makes it the newest.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
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
    this.#entries.set(key, { value, bytes });
    this.bytes += bytes;
    for (const [oldest, entry] of this.#entries) {
      if (this.bytes <= this.#maxBytes) break;
      this.#entries.delete(oldest);
      this.bytes -= entry.bytes;
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
