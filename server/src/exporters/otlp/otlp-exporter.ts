// SPDX-License-Identifier: Apache-2.0
import { DiskQueue } from '#exporters/queue/disk-queue.ts';
import { MemoryQueue } from '#exporters/queue/memory-queue.ts';
import type { SendingQueue, SendRequest } from '#exporters/queue/sending-queue.ts';
import type { BreakerSettings } from '#exporters/sending/circuit-breaker.ts';
import { Destinations, type DestinationsOptions } from '#exporters/sending/destinations.ts';
import { Sender, type RetrySettings, type Routing } from '#exporters/sending/sender.ts';
import { SendingExporter } from '#exporters/sending/sending-exporter.ts';
import type { Logger } from '#net/logger.ts';
import { ClientTls, type ClientTlsSettings } from '#net/tls/client-tls.ts';
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

/** What is spoken with the servers. */
export type OtlpProtocol =
  | ({ readonly name: 'grpc' } & GrpcTransportSettings)
  | ({ readonly name: 'http' } & Omit<HttpTransportSettings, 'maxConnections'>);

/** Settings of an exporter of OTLP. */
export interface OtlpExporterSettings {
  /** How the log and errors call it: the path of its section. */
  readonly path: string;
  readonly protocol: OtlpProtocol;
  /** For the servers that do not speak plain text. */
  readonly tls: ClientTlsSettings | undefined;
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
  const { path, protocol, queue, retry, servers } = settings;
  const isPlain = servers.every((server) => server.isPlain);
  const tls =
    settings.tls === undefined || isPlain
      ? undefined
      : new ClientTls(`${path}.tls`, settings.tls, logger);
  const destinations = new Destinations({
    ...settings,
    connect: (address, name) => {
      const own = address.isPlain ? undefined : tls;
      if (protocol.name === 'grpc') return new GrpcTransport(protocol, address, name, own);
      const maxConnections = queue.maxUnderWay;
      return new HttpTransport({ ...protocol, maxConnections }, address, name, own);
    },
    logger,
  });
  const sender = new Sender({
    ...settings,
    destinations,
    retry: retry && retryOf(retry, queue),
    isKept: queue.storage === 'disk',
    logger,
  });
  const send: SendRequest = (request, signal) => sender.send(request, signal);
  return new SendingExporter({
    destinations,
    sender,
    queue: createQueue(path, queue, send, logger),
    tls,
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
