// SPDX-License-Identifier: Apache-2.0
import { Counter, Gauge, type Registry } from 'prom-client';
import type { ProcessMetrics } from './process-metrics.ts';

/** Adds metrics of this process to a registry, which read their values when it is scraped. */
export function registerProcess(figures: ProcessMetrics, registry: Registry): void {
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
    () => figures.takeLagSeconds(),
  );
}
