// SPDX-License-Identifier: Apache-2.0
import type { LatencyCounts, MinuteMetrics } from '#storage/tracestore.ts';

/** What was counted in some minutes together. */
export interface MinuteSum {
  readonly calls: number;
  readonly errors: number;
  readonly latency: () => LatencyCounts;
}

/** Sums over a window of some minutes that moves forward. */
export class MinuteWindow {
  readonly #minutes: readonly MinuteMetrics[];
  readonly #length: number;
  readonly #latency = new Map<number, number>();
  #calls = 0;
  #errors = 0;
  /** Minutes `[first, end)` of the list are in the window. */
  #first = 0;
  #end = 0;

  /** @param minutes ascending @param length of the window, in minutes */
  constructor(minutes: readonly MinuteMetrics[], length: number) {
    this.#minutes = minutes;
    this.#length = length;
  }

  /** The window whose last minute is this one, which is not before that of the last call. */
  endingWith(minute: number): MinuteSum {
    for (; (this.#minutes[this.#end]?.minute ?? Infinity) <= minute; this.#end++) {
      this.#add(this.#minutes[this.#end]!, 1);
    }
    for (; this.#first < this.#end; this.#first++) {
      const oldest = this.#minutes[this.#first]!;
      if (oldest.minute > minute - this.#length) break;
      this.#add(oldest, -1);
    }
    return {
      calls: this.#calls,
      errors: this.#errors,
      latency: () => [...this.#latency].filter(([, count]) => count > 0).sort(([a], [b]) => a - b),
    };
  }

  #add({ calls, errors, latency }: MinuteMetrics, weight: number): void {
    this.#calls += calls * weight;
    this.#errors += errors * weight;
    for (const [bucket, count] of latency) {
      this.#latency.set(bucket, (this.#latency.get(bucket) ?? 0) + count * weight);
    }
  }
}
