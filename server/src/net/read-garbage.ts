// SPDX-License-Identifier: Apache-2.0
import { getHeapStatistics } from 'node:v8';
import { collectGarbage } from '#workers/collector.ts';

/**
 * What lies outside of the heap may grow by so much before the young generation is collected. V8 itself waits for 64 MiB of young
 * buffers, and what malloc needed for them once it does not give back.
 */
const GARBAGE_BYTES = 8 << 20;

/** What a {@link ReadGarbage} works with; for tests. */
interface ReadGarbageParts {
  /** Memory outside of the heap that objects in it hold, dead ones included. */
  readonly externalBytes: () => number;
  /** Collects the young generation. */
  readonly collect: () => void;
}

/** The buffers that reads from sockets leave behind: each is read into new memory of 64 KiB, whatever comes of it. */
export class ReadGarbage {
  readonly #parts: ReadGarbageParts;
  #leastBytes = Infinity;

  constructor(parts: ReadGarbageParts = { externalBytes, collect: () => collectGarbage('minor') }) {
    this.#parts = parts;
  }

  /** Collects them when they have become many. To be called with each request; it takes less than a µs. */
  look(): void {
    const bytes = this.#parts.externalBytes();
    if (bytes > this.#leastBytes + GARBAGE_BYTES) {
      this.#parts.collect();
      // They are freed on another thread, a moment later; what then is left lives.
      this.#leastBytes = bytes;
    } else if (bytes < this.#leastBytes) {
      this.#leastBytes = bytes;
    }
  }
}

function externalBytes(): number {
  return getHeapStatistics().external_memory;
}
