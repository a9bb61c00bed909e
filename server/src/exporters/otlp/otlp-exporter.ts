// SPDX-License-Identifier: Apache-2.0
import { DiskQueue } from '#exporters/queue/disk-queue.ts';
import { MemoryQueue } from '#exporters/queue/memory-queue.ts';
import type { SendingQueue, SendRequest } from '#exporters/queue/sending-queue.ts';
import type { BreakerSettings } from '#exporters/sending/circuit-breaker.ts';
import { Destinations, type DestinationsOptions } from '#exporters/sending/destinations.ts';
import { Sender, type RetrySettings, type Routing } from '#exporters/sending/sender.ts';
import { SendingExporter } from '#exporters/sending/sending-exporter.ts';
import type { Logger } from '#net/logger.ts';
import { DISK_FILES } from '#storage/columnar/disk-files.ts';
import { GrpcTransport, type GrpcTransportSettings } from './grpc-transport.ts';
import { HttpTransport, type HttpTransportSettings } from './http-transport.ts';

/** Where requests wait; see the classes of the queues. */
interface QueueSettings {
  /** `none`: none waits, who sends keeps them. */
  readonly storage: 'none' | 'memory' | 'disk';
  /** Bytes that may wait. */
  readonly capacityBytes: number;
  /** Requests that are sent at the same time. */
  readonly maxUnderWay: number;
  /** Of the queue on disk. */
  readonly directory: string;
}

/** Settings of an exporter of OTLP. */
export interface OtlpExporterSettings {
  /** How the log and errors call it: the path of its section. */
  readonly path: string;
  readonly protocol:
    | { readonly name: 'grpc'; readonly settings: GrpcTransportSettings }
    | { readonly name: 'http'; readonly settings: HttpTransportSettings };
  readonly servers: DestinationsOptions['servers'];
  readonly resolveIntervalMs: number;
  readonly routing: Routing;
  readonly breaker: BreakerSettings;
  /** Undefined: a request that fails is not tried again. */
  readonly retry: RetrySettings | undefined;
  readonly queue: QueueSettings;
  /** Largest body in bytes. */
  readonly maxRequestBytes: number;
}

/** Exports OTLP over gRPC or HTTP. */
export function createOtlpExporter(
  settings: OtlpExporterSettings,
  logger: Logger,
): SendingExporter {
  const { path, protocol, queue, retry } = settings;
  const destinations = new Destinations({
    ...settings,
    connect: (address, name) =>
      protocol.name === 'grpc'
        ? new GrpcTransport(protocol.settings, address, name)
        : new HttpTransport(protocol.settings, address, name),
    logger,
  });
  const sender = new Sender({
    ...settings,
    destinations,
    retry: retry && retryOf(retry, queue),
    logger,
  });
  const send: SendRequest = (request, signal) => sender.send(request, signal);
  return new SendingExporter({
    destinations,
    sender,
    queue: createQueue(path, queue, send, logger),
  });
}

/** Without a queue who sent a request keeps it, and tries again; what is kept on disk is kept until it is sent. */
function retryOf(retry: RetrySettings, { storage }: QueueSettings): RetrySettings | undefined {
  if (storage === 'none') return undefined;
  return storage === 'disk' ? { ...retry, maxElapsedTimeMs: Infinity } : retry;
}

function createQueue(
  path: string,
  { storage, capacityBytes, maxUnderWay, directory }: QueueSettings,
  send: SendRequest,
  logger: Logger,
): SendingQueue {
  if (storage !== 'disk') {
    const room = storage === 'none' ? 0 : capacityBytes;
    return new MemoryQueue({ path, send, maxUnderWay, capacityBytes: room });
  }
  return new DiskQueue({
    path,
    files: DISK_FILES,
    dir: directory,
    send,
    maxUnderWay,
    capacityBytes,
    logger,
  });
}
