// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import { CircuitBreaker, type BreakerSettings } from '#exporters/sending/circuit-breaker.ts';
import type { Destination, DestinationList } from '#exporters/sending/destinations.ts';
import type { ExportAnswer, ExportRequest, Transport } from '#exporters/sending/transport.ts';
import type { KafkaClient } from './kafka-client.ts';
import { KafkaProducer, type KafkaCompression, type ProducedRecord } from './kafka-producer.ts';
import { decodeFrames } from './record-frames.ts';
import { RecordSender } from './record-sender.ts';

/** Settings of a {@link KafkaCluster}. */
export interface KafkaClusterSettings {
  readonly topic: string;
  readonly compression: KafkaCompression;
  /** Of a record, and of a request to a broker. */
  readonly maxMessageBytes: number;
  /** Header of records that names their tenant; undefined while there is one only. */
  readonly tenantHeader: string | undefined;
  /** See the client's settings. */
  readonly timeoutMs: number;
}

/** What a record takes in a request beside key, value and headers, at most; the request itself about as much. */
const RECORD_OVERHEAD_BYTES = 64;
/** Of a key: a trace id in hex. */
const KEY_BYTES = 32;

/**
 * A request is waited for so many times the timeout of the client, whose own tries take longer while a broker does not answer at
 * all: ten seconds by default, the time of an SDK.
 */
const ANSWER_TIMEOUTS = 2;

const ALL_TAKEN: ExportAnswer = { rejectedSpans: 0, message: '' };

type SentRecord = ProducedRecord & { readonly bytes: number };

/**
 * A cluster of brokers as the one server of an exporter, with one breaker: which broker is asked is the client's affair.
 * The body of a request is the frames of its records.
 */
export class KafkaCluster implements DestinationList, Transport {
  readonly list: readonly Destination[];
  readonly #settings: KafkaClusterSettings;
  readonly #client: KafkaClient;
  readonly #producer: KafkaProducer;
  readonly #sender: RecordSender<SentRecord>;

  constructor(
    path: string,
    settings: KafkaClusterSettings,
    breaker: BreakerSettings,
    client: KafkaClient,
  ) {
    this.#settings = settings;
    this.#client = client;
    this.#producer = new KafkaProducer(client, settings.compression);
    this.#sender = new RecordSender(
      (records) => this.#producer.send(records),
      settings.maxMessageBytes,
    );
    const monotonicMs = (): number => performance.now();
    this.list = [
      { name: path, transport: this, breaker: new CircuitBreaker(breaker, monotonicMs) },
    ];
  }

  get openings(): number {
    return this.list[0]!.breaker.opened;
  }

  /** Bytes of the largest value of a record of a tenant. */
  maxValueBytes(tenant: string): number {
    const { maxMessageBytes } = this.#settings;
    return maxMessageBytes - RECORD_OVERHEAD_BYTES - this.#overheadBytes(tenant);
  }

  /** Does not wait for a broker: while there is none, requests fail. */
  start(): Promise<void> {
    return this.#producer.start();
  }

  async send({ tenant, body }: ExportRequest, signal: AbortSignal): Promise<ExportAnswer> {
    const { topic, tenantHeader, timeoutMs } = this.#settings;
    const headers = new Map<Buffer, Buffer>();
    if (tenantHeader !== undefined) headers.set(Buffer.from(tenantHeader), Buffer.from(tenant));
    const overheadBytes = this.#overheadBytes(tenant);
    const records = decodeFrames(body).map(({ key, value }) => {
      return { topic, key, value, headers, bytes: overheadBytes + value.length };
    });
    const inTime = AbortSignal.timeout(ANSWER_TIMEOUTS * timeoutMs);
    await this.#sender.write(records, AbortSignal.any([signal, inTime]));
    return ALL_TAKEN;
  }

  async close(): Promise<void> {
    this.#sender.abandon(new SpoorError('unavailable', 'kafka: shut down'));
    await this.#producer.shutdown();
    this.#client.shutdown();
  }

  #overheadBytes(tenant: string): number {
    const headerBytes = (this.#settings.tenantHeader?.length ?? 0) + tenant.length;
    return RECORD_OVERHEAD_BYTES + KEY_BYTES + headerBytes;
  }
}
