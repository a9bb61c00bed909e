// SPDX-License-Identifier: Apache-2.0
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How often the event loop is probed, in ms: fine enough to see a 50 ms block, coarse enough to cost nothing. */
const PROBE_INTERVAL_MS = 20;

/** Memory of the process, in bytes. */
export interface MemoryFigures {
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
  readonly arrayBuffersBytes: number;
}

/**
 * Figures of this process: memory, CPU, event loop.
 *
 * Ours and not the metric library's defaults, whose timers and observers cannot be stopped.
 */
export class ProcessMetrics {
  readonly #startedMs = Date.now();
  #delay: ReturnType<typeof monitorEventLoopDelay> | undefined;

  /** Begins to watch the event loop. */
  start(): void {
    this.#delay ??= monitorEventLoopDelay({ resolution: PROBE_INTERVAL_MS });
    this.#delay.enable();
  }

  /** Ends it. */
  shutdown(): void {
    this.#delay?.disable();
    this.#delay = undefined;
  }

  /** Whole seconds since the process began its work. */
  get uptimeSeconds(): number {
    return Math.floor((Date.now() - this.#startedMs) / 1000);
  }

  /** Memory now. */
  memory(): MemoryFigures {
    const usage = process.memoryUsage();
    return {
      rssBytes: usage.rss,
      heapUsedBytes: usage.heapUsed,
      externalBytes: usage.external,
      arrayBuffersBytes: usage.arrayBuffers,
    };
  }

  /** Lag of the event loop, p99, since it was asked for last, so that each scrape tells of its own interval. */
  takeLagSeconds(): number {
    const delay = this.#delay;
    if (delay === undefined || delay.count === 0) return 0;
    // The histogram holds whole intervals: the lag is what is beyond the probe's own.
    const seconds = Math.max(0, delay.percentile(99) / 1e9 - PROBE_INTERVAL_MS / 1000);
    delay.reset();
    return seconds;
  }
}
