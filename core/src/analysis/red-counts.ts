// SPDX-License-Identifier: Apache-2.0
import { MinuteCounts } from './minute-counts.ts';
import { NamePairKeys, packNamePair } from './name-pair-keys.ts';
import type { SpanRows } from './span-rows.ts';

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

/** Numbers what spans are counted by; what it is asked for is packed with {@link redBits}. */
export function redKeys(): NamePairKeys<RedKey> {
  return new NamePairKeys(redKey);
}

/** The key of two names and {@link redBits}. */
export function redKey(service: number, operation: number, bits: number): RedKey {
  return { service, operation, kind: bits >> 1, isError: (bits & 1) !== 0 };
}

/** What a {@link RedKey} has besides names. */
export function redBits(kind: number, isError: boolean): number {
  return kind * 2 + (isError ? 1 : 0);
}

/** Counts spans by service, operation, kind and status, by the minute in which they start and their latency. */
export class RedCounts {
  readonly counts = new MinuteCounts();
  readonly #keys = redKeys();
  /** Spans repeat the same few. */
  readonly #recent = new Float64Array(RECENT_SLOTS).fill(-1);
  readonly #recentKey = new Uint32Array(RECENT_SLOTS);

  /** By the numbers that {@link counts} has. */
  get keys(): readonly RedKey[] {
    return this.#keys.list;
  }

  /** Counts the spans at `[start, end)`. @param weight 1, or -1 to take them back */
  add(rows: SpanRows, start: number, end: number, weight = 1): void {
    const { minute, bucket } = rows;
    for (let i = start; i < end; i++) {
      this.counts.add(this.#keyOf(rows, i), minute[i]!, bucket[i]!, weight);
    }
  }

  #keyOf({ service, name, kind, isError }: SpanRows, i: number): number {
    const bits = redBits(kind[i]!, isError[i] === 1);
    const packed = packNamePair(service[i]!, name[i]!, bits);
    const slot = (service[i]! * 31 + name[i]! * 7 + bits) & (RECENT_SLOTS - 1);
    if (this.#recent[slot] !== packed) {
      this.#recentKey[slot] = this.#keys.numberOf(packed);
      this.#recent[slot] = packed;
    }
    return this.#recentKey[slot]!;
  }
}
