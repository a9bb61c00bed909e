// SPDX-License-Identifier: Apache-2.0
import { MinuteCounts } from './minute-counts.ts';
import type { SpanRows } from './span-rows.ts';

/** Numbers of services and of operations are below this, so that a pair of them with a few bits fits a double. */
const MAX_NAMES = 2 ** 22;

/** Slots for what was counted last; a power of two. */
const RECENT_SLOTS = 1024;

/** What spans are counted by. */
export interface RedKey {
  /** Numbers of names. */
  readonly service: number;
  readonly operation: number;
  /** `SpanKind`; 0 for numbers without a meaning. */
  readonly kind: number;
  readonly isError: boolean;
}

/** Counts spans by service, operation, kind and status, by the minute in which they start and their latency. */
export class RedCounts {
  /** By key. */
  readonly keys: RedKey[] = [];
  readonly counts = new MinuteCounts();
  readonly #known = new Map<number, number>();
  /** Spans repeat the same few. */
  readonly #recent = new Float64Array(RECENT_SLOTS).fill(-1);
  readonly #recentKey = new Uint32Array(RECENT_SLOTS);

  /** Counts the spans at `[start, end)`. @param weight 1, or -1 to take them back */
  add(rows: SpanRows, start: number, end: number, weight = 1): void {
    const { service, name, kind, isError, minute, bucket } = rows;
    for (let i = start; i < end; i++) {
      const bits = kind[i]! * 2 + isError[i]!;
      const packed = (service[i]! * MAX_NAMES + name[i]!) * 16 + bits;
      const slot = (service[i]! * 31 + name[i]! * 7 + bits) & (RECENT_SLOTS - 1);
      if (this.#recent[slot] !== packed) {
        this.#recentKey[slot] = this.#keyOf(packed);
        this.#recent[slot] = packed;
      }
      this.counts.add(this.#recentKey[slot]!, minute[i]!, bucket[i]!, weight);
    }
  }

  #keyOf(packed: number): number {
    let key = this.#known.get(packed);
    if (key === undefined) {
      const bits = packed % 16;
      const pair = Math.floor(packed / 16);
      key =
        this.keys.push({
          service: Math.floor(pair / MAX_NAMES),
          operation: pair % MAX_NAMES,
          kind: bits >> 1,
          isError: (bits & 1) !== 0,
        }) - 1;
      this.#known.set(packed, key);
    }
    return key;
  }
}
