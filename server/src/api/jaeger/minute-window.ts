// SPDX-License-Identifier: Apache-2.0
import { LatencySum } from '@spoor/core/analysis/latency-sum.ts';
import type { MinuteMetrics } from '#storage/tracestore.ts';

/** Sums over a window of some minutes that moves forward. */
export class MinuteWindow {
  calls = 0;
  errors = 0;
  readonly latency = new LatencySum();
  readonly #minutes: MinuteMetrics;
  readonly #length: number;
  /** Entries `[first, end)` are in the window. */
  #first = 0;
  #end = 0;

  /** @param length in minutes */
  constructor(minutes: MinuteMetrics, length: number) {
    this.#minutes = minutes;
    this.#length = length;
  }

  /**
   * Moves to the window whose last minute is this one, which is not before that of the last call.
   * @returns whether something came or went
   */
  moveTo(last: number): boolean {
    const { minute } = this.#minutes;
    const before = [this.#first, this.#end];
    for (; this.#end < minute.length && minute[this.#end]! <= last; this.#end++) {
      this.#add(this.#end, 1);
    }
    for (; this.#first < this.#end && minute[this.#first]! <= last - this.#length; this.#first++) {
      this.#add(this.#first, -1);
    }
    return this.#first !== before[0] || this.#end !== before[1];
  }

  #add(entry: number, weight: number): void {
    const { calls, errors, start, latency } = this.#minutes;
    this.calls += calls[entry]! * weight;
    this.errors += errors[entry]! * weight;
    for (let i = start[entry]!; i < start[entry + 1]!; i++) {
      this.latency.add(latency.bucket[i]!, latency.count[i]! * weight);
    }
  }
}
