// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { readDuration } from '#config/duration.ts';
import { countsRequests, type DeliveryConfig } from '#config/sending-config.ts';
import type { DeliverySettings } from '#exporters/sending/delivery.ts';

/** Bytes that may wait where nothing is said; in memory a part of what `memory_limit_mib` allows. */
const QUEUE_BYTES = { memory: 64 << 20, disk: 1 << 30 } as const;

/** Requests that may wait where only the sizer says so, as in the collector. */
const USUAL_REQUESTS = 1000;

/**
 * How an exporter keeps and tries what it sends.
 * @param waitingBytes that may wait for their turn without a queue
 */
export function deliverySettings(
  id: string,
  config: DeliveryConfig,
  waitingBytes: number,
): DeliverySettings {
  const { retry_on_failure: retry, sending_queue: queue, circuit_breaker: breaker } = config;
  const maxElapsedTimeMs = readDuration(retry.max_elapsed_time);
  const isOfRequests = countsRequests(queue.sizer, queue.queue_size);
  const usualBytes = queue.enabled ? QUEUE_BYTES[queue.storage] : waitingBytes;
  return {
    path: `exporters.${id}`,
    breaker: {
      failureThreshold: breaker.failure_threshold,
      openMs: readDuration(breaker.open_interval),
      maxOpenMs: readDuration(breaker.max_open_interval),
    },
    retry: retry.enabled
      ? {
          initialIntervalMs: readDuration(retry.initial_interval),
          maxIntervalMs: readDuration(retry.max_interval),
          multiplier: retry.multiplier,
          maxElapsedTimeMs: maxElapsedTimeMs === 0 ? Infinity : maxElapsedTimeMs,
        }
      : undefined,
    queue: {
      storage: queue.enabled ? queue.storage : 'none',
      capacityBytes: queue.enabled && !isOfRequests ? (queue.queue_size ?? usualBytes) : usualBytes,
      ...(isOfRequests ? { capacityRequests: queue.queue_size ?? USUAL_REQUESTS } : {}),
      maxUnderWay: queue.num_consumers,
      directory: resolve(queue.directory),
    },
  };
}
