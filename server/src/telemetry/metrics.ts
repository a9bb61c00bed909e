// SPDX-License-Identifier: Apache-2.0
import type { Counting } from '#pipeline/component-figures.ts';
import type { StoreFigures } from '#storage/tracestore.ts';
import type { MetricsPage } from './metrics-page.ts';
import type { ProcessMetrics } from './process-metrics.ts';

/** Figures of a receiver since its start. */
export interface ReceiverMetrics {
  /** `otlp`, `jaeger`, `zipkin` */
  readonly receiver: string;
  /** `grpc`, `http`, `kafka`, or `udp_` and the name of a protocol over UDP; a fixed set. */
  readonly transport: string;
  readonly acceptedSpans: number;
  /** Invalid spans of accepted requests. */
  readonly refusedSpans: number;
  readonly requests: number;
  /** Requests of which nothing was kept, by reason; the reasons are a fixed set. */
  readonly refusedRequests: ReadonlyMap<string, number>;
  /** Bytes of bodies as they came, and after decompression. */
  readonly wireBytes: number;
  readonly bodyBytes: number;
  /** Undefined where there are none. */
  readonly connections?: { readonly open: number; readonly dropped: number };
  /** Of a receiver of datagrams. */
  readonly packets?: {
    /** Those that wait until their spans are on disk. */
    readonly queued: number;
    /** Those that the kernel dropped before they were read; undefined where the system does not tell. */
    readonly kernelDrops: number | undefined;
  };
  /** Of a receiver from Kafka. */
  readonly kafka?: KafkaMetrics;
}

/** What a receiver from Kafka has beside what all have. */
export interface KafkaMetrics {
  readonly retries: number;
  readonly deadLetters: number;
  readonly droppedRecords: number;
  /** As many as there are partitions. */
  readonly partitions: readonly {
    readonly topic: string;
    readonly partition: number;
    /** Undefined while it is not known. */
    readonly lag: bigint | undefined;
  }[];
}

/** What the Jaeger clients of one service say of themselves. */
export interface JaegerClientMetrics {
  readonly service: string;
  readonly receivedBatches: number;
  readonly sentBatches: number;
  readonly fullQueueSpans: number;
  readonly tooLargeSpans: number;
  readonly failedSpans: number;
}

/** What one tenant has sent since the start. */
export interface TenantMetrics {
  readonly tenant: string;
  readonly acceptedSpans: number;
  readonly bodyBytes: number;
  /** Times that a body found no room beside the tenant's others. */
  readonly noRoom: number;
}

/** Figures of the memory that request bodies in flight hold, in bytes. */
export interface BodiesMetrics {
  readonly limitBytes: number;
  readonly usedBytes: number;
  /** Highest `usedBytes` since the start. */
  readonly peakBytes: number;
  /** Times that a body found no room. */
  readonly refusals: number;
}

/** How near the process is to its memory limit. */
export interface MemoryMetrics {
  readonly limitBytes: number;
  /** Whether new bodies are refused since it is near. */
  readonly isTight: boolean;
}

/** A processor or exporter, and the labels that say which. */
export interface ComponentMetrics {
  readonly labels: Readonly<Record<string, string>>;
  readonly component: Counting;
}

/** TLS of one listener. */
export interface TlsMetrics {
  /** Path of its section in the configuration. */
  readonly section: string;
  readonly handshakes: number;
  /** Connections that did not come to be, by reason; the reasons are a fixed set. */
  readonly failures: Readonly<Record<string, number>>;
  readonly openHandshakes: number;
  readonly reloads: number;
  readonly failedReloads: number;
  /** When the certificate ends, in Unix ms. */
  readonly notAfterUnixMs: number | undefined;
}

/** A list of tokens. */
export interface TokensMetrics {
  /** Path of its section in the configuration. */
  readonly section: string;
  readonly tokens: number;
  /** Requests that were not let in, by reason; the reasons are a fixed set. */
  readonly refused: Readonly<Record<string, number>>;
  readonly reloads: number;
  readonly failedReloads: number;
}

/** Where the values of a scrape come from. */
export interface MetricSources {
  readonly version: string;
  readonly process: ProcessMetrics;
  readonly receivers: () => Iterable<ReceiverMetrics>;
  readonly components: () => Iterable<ComponentMetrics>;
  readonly tls: () => Iterable<TlsMetrics>;
  readonly tokens: () => Iterable<TokensMetrics>;
  /** A bounded number of them. */
  readonly jaegerClients: () => Iterable<JaegerClientMetrics>;
  /** A bounded number of them; none while tenancy is off. */
  readonly tenants: () => Iterable<TenantMetrics>;
  readonly bodies: () => BodiesMetrics;
  /** Whole bodies that wait for their turn to be decoded. */
  readonly waitingBodies: () => number;
  readonly memory: () => MemoryMetrics;
  readonly storeFigures: () => StoreFigures;
}

/**
 * Spoor's own metrics, for Prometheus to scrape. All values are read when they are scraped. Of labels only `tenant` and `service` may
 * have values that clients choose, and few of them.
 *
 * The library is loaded when they are asked for first: it is a twentieth of the work of a start.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export class Metrics {
  /** Content type of {@link expose}. */
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8';
  readonly #sources: MetricSources;
  #page: Promise<MetricsPage> | undefined;

  constructor(sources: MetricSources) {
    this.#sources = sources;
  }

  /** The metrics as Prometheus text. */
  async expose(): Promise<string> {
    this.#page ??= import('./metrics-page.ts').then(
      (loaded) => new loaded.MetricsPage(this.#sources),
    );
    try {
      return await (await this.#page).expose();
    } catch (error) {
      // For want of files, for instance, it could not be loaded: the next one who asks may have more luck.
      this.#page = undefined;
      throw error;
    }
  }
}
