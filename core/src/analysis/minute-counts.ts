// SPDX-License-Identifier: Apache-2.0
import { LATENCY_BUCKETS } from './latency-bucket.ts';

/**
 * Counts by key, minute and latency bucket, ascending, none of them zero. Series `s` is the key `key[s]` in the minute
 * `minutes[minute[s]]`; its counts are those at `[start[s], start[s + 1])`.
 */
export interface MinuteTable {
  /** Distinct Unix minutes, ascending. */
  readonly minutes: Uint32Array;
  readonly key: Uint32Array;
  readonly minute: Uint32Array;
  readonly start: Uint32Array;
  /** See `latencyBucket`. */
  readonly bucket: Uint32Array;
  readonly count: Int32Array;
}

/** Words of a slot: minute, key and bucket, count, unused. */
const SLOT_WORDS = 4;

/** Counts spans by key, minute and latency bucket. Keys are numbers below 2²² that the owner gives a meaning. */
export class MinuteCounts {
  /** A slot with count 0 is free, or was counted to and taken back. */
  #slots = new Int32Array(1024 * SLOT_WORDS);
  #mask = 1023;
  #used = 0;

  /** @param weight 1, or -1 to take a span back */
  add(key: number, minute: number, bucket: number, weight = 1): void {
    const word = key * LATENCY_BUCKETS + bucket + 1;
    const slots = this.#slots;
    let slot = hashOf(minute, word) & this.#mask;
    for (;;) {
      const at = slot * SLOT_WORDS;
      // Minutes and words are below 2^32: compared as they are stored.
      if (slots[at + 1] === (word | 0) && slots[at] === (minute | 0)) {
        slots[at + 2]! += weight;
        return;
      }
      if (slots[at + 1] === 0) {
        slots[at] = minute;
        slots[at + 1] = word;
        slots[at + 2] = weight;
        this.#used++;
        if (this.#used * 2 > this.#mask) this.#grow();
        return;
      }
      slot = (slot + 1) & this.#mask;
    }
  }

  /** All counts in order. */
  table(): MinuteTable {
    const slots = this.#slots;
    const found = new Set<number>();
    let cells = 0;
    for (let at = 0; at < slots.length; at += SLOT_WORDS) {
      if (slots[at + 2] === 0) continue;
      found.add(slots[at]! >>> 0);
      cells++;
    }
    const minutes = Uint32Array.from(found).sort();
    const ranks = new Map<number, number>();
    minutes.forEach((minute, rank) => ranks.set(minute, rank));
    // Key, rank and bucket in one number, which sorts fast: at most 22 + 21 + 10 bits.
    const order = new Float64Array(cells);
    let n = 0;
    for (let at = 0; at < slots.length; at += SLOT_WORDS) {
      if (slots[at + 2] === 0) continue;
      const word = (slots[at + 1]! >>> 0) - 1;
      const key = Math.floor(word / LATENCY_BUCKETS);
      const rank = ranks.get(slots[at]! >>> 0)!;
      order[n++] = (key * minutes.length + rank) * LATENCY_BUCKETS + (word % LATENCY_BUCKETS);
    }
    order.sort();
    const bucket = new Uint32Array(cells);
    const count = new Int32Array(cells);
    const series: { key: number; minute: number; start: number }[] = [];
    let last = -1;
    for (let i = 0; i < cells; i++) {
      const one = Math.floor(order[i]! / LATENCY_BUCKETS);
      const key = Math.floor(one / minutes.length);
      const minute = one % minutes.length;
      if (one !== last) series.push({ key, minute, start: i });
      last = one;
      bucket[i] = order[i]! % LATENCY_BUCKETS;
      count[i] = this.#count(minutes[minute]!, key * LATENCY_BUCKETS + bucket[i]! + 1);
    }
    return {
      minutes,
      key: Uint32Array.from(series, (one) => one.key),
      minute: Uint32Array.from(series, (one) => one.minute),
      start: Uint32Array.from([...series.map((one) => one.start), cells]),
      bucket,
      count,
    };
  }

  #count(minute: number, word: number): number {
    const slots = this.#slots;
    let slot = hashOf(minute, word) & this.#mask;
    while (slots[slot * 4 + 1] !== (word | 0) || slots[slot * 4] !== (minute | 0)) {
      slot = (slot + 1) & this.#mask;
    }
    return slots[slot * 4 + 2]!;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    this.#mask = this.#slots.length / SLOT_WORDS - 1;
    this.#used = 0;
    for (let at = 0; at < old.length; at += SLOT_WORDS) {
      if (old[at + 2] === 0) continue;
      const word = old[at + 1]!;
      let slot = hashOf(old[at]!, word) & this.#mask;
      while (this.#slots[slot * SLOT_WORDS + 1] !== 0) slot = (slot + 1) & this.#mask;
      this.#slots.set(old.subarray(at, at + SLOT_WORDS), slot * SLOT_WORDS);
      this.#used++;
    }
  }
}

function hashOf(minute: number, word: number): number {
  const hash = Math.imul(word ^ Math.imul(minute, 0x9e3779b1), 0x85ebca6b);
  return (hash ^ (hash >>> 15)) >>> 0;
}
