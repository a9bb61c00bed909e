// SPDX-License-Identifier: Apache-2.0
import { DiskQueue } from '#exporters/queue/disk-queue.ts';
import { MemoryQueue } from '#exporters/queue/memory-queue.ts';
import type { SendingQueue, SendRequest } from '#exporters/queue/sending-queue.ts';
import { DISK_FILES } from '#storage/columnar/directory/disk-files.ts';
import type { Logger } from '#net/logger.ts';
import type { BreakerSettings } from './circuit-breaker.ts';
import { Sender, type RetrySettings, type SenderOptions } from './sender.ts';

/** Where requests wait; see the classes of the queues. */
interface QueueSettings {
  /** `none`: who sends keeps them, and tries again. */
  readonly storage: 'none' | 'memory' | 'disk';
  /** Bytes that may wait for their turn; with `none` as well. */
  readonly capacityBytes: number;
  /** Requests that may wait, in memory; any number unless told. */
  readonly capacityRequests?: number;
  /** Requests that are sent at the same time. */
  readonly maxUnderWay: number;
  /** Of the queue on disk. */
  readonly directory: string;
}

/** How requests are kept and tried, whatever they are sent with. */
export interface DeliverySettings {
  /** How the log and errors call the exporter: the path of its section. */
  readonly path: string;
  readonly breaker: BreakerSettings;
  /** Undefined: a request that fails is not tried again. */
  readonly retry: RetrySettings | undefined;
  readonly queue: QueueSettings;
}

/** What requests go through on their way to the servers of an exporter. */
export interface Delivery {
  readonly sender: Sender;
  readonly queue: SendingQueue;
}

/** Makes the queue of an exporter and the sender behind it. */
export function createDelivery(
  { path, retry, queue }: DeliverySettings,
  options: Pick<SenderOptions, 'destinations' | 'routing' | 'isOtlp' | 'maxRequestBytes'>,
  logger: Logger,
): Delivery {
  const sender = new Sender({
    ...options,
    path,
    retry: retry && retryOf(retry, queue),
    isKept: queue.storage === 'disk',
    logger,
  });
  const send: SendRequest = (request, signal) => sender.send(request, signal);
  return { sender, queue: createQueue(path, queue, send, logger) };
}

/** Without a queue who sent a request keeps it, and tries again; what is kept on disk is kept until it is sent. */
function retryOf(retry: RetrySettings, { storage }: QueueSettings): RetrySettings | undefined {
  if (storage === 'none') return undefined;
  return storage === 'disk' ? { ...retry, maxElapsedTimeMs: Infinity } : retry;
}

function createQueue(
  path: string,
  { storage, directory, ...limits }: QueueSettings,
  send: SendRequest,
  logger: Logger,
): SendingQueue {
  return storage === 'disk'
    ? new DiskQueue({ ...limits, path, files: DISK_FILES, dir: directory, send, logger })
    : new MemoryQueue({ ...limits, path, send });
}
