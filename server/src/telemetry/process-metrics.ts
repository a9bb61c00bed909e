// SPDX-License-Identifier: Apache-2.0
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';

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

  /** Adds gauges to a registry that read their values when it is scraped. */
  register(registry: Registry): void {
    const registers = [registry];
    const gauge = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    };
    gauge('process_resident_memory_bytes', 'Resident memory of the process.', () =>
      process.memoryUsage.rss(),
    );
    gauge(
      'nodejs_heap_size_used_bytes',
      'Used part of the JavaScript heap.',
      () => process.memoryUsage().heapUsed,
    );
    gauge(
      'nodejs_external_memory_bytes',
      'Memory of buffers and other objects outside of the JavaScript heap.',
      () => process.memoryUsage().external,
    );
    new Counter({
      name: 'process_cpu_seconds_total',
      help: 'User and system CPU time.',
      registers,
      collect() {
        const usage = process.cpuUsage();
        this.reset();
        this.inc((usage.user + usage.system) / 1e6);
      },
    });
    gauge('process_start_time_seconds', 'Start of the process, Unix epoch.', () =>
      Math.round(Date.now() / 1000 - process.uptime()),
    );
    gauge(
      'nodejs_eventloop_lag_p99_seconds',
      'Lag of the event loop since the last scrape, p99.',
      () => this.#lagSeconds(),
    );
  }

  // Resets the histogram, so each scrape tells of its own interval.
  #lagSeconds(): number {
    const delay = this.#delay;
    if (delay === undefined || delay.count === 0) return 0;
    // The histogram holds whole intervals: the lag is what is beyond the probe's own.
    const seconds = Math.max(0, delay.percentile(99) / 1e9 - PROBE_INTERVAL_MS / 1000);
    delay.reset();
    return seconds;
  }
}
