// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { LogThrottle, type Logger } from '#net/logger.ts';
import type { Counting } from '#pipeline/component-figures.ts';
import type { TraceExporter } from '#pipeline/trace-sink.ts';
import { KafkaClient, type KafkaClientSettings } from './kafka-client.ts';
import type { KafkaEncoding } from './kafka-encoding.ts';
import { KafkaProducer, type KafkaCompression, type ProducedRecord } from './kafka-producer.ts';
import { RecordSender } from './record-sender.ts';
import { traceRecords } from './trace-records.ts';

/** Settings of a {@link KafkaExporter}. */
export interface KafkaExporterSettings extends KafkaClientSettings {
  readonly topic: string;
  readonly encoding: KafkaEncoding;
  readonly compression: KafkaCompression;
  /** Of a record, and of a request to a broker. */
  readonly maxMessageBytes: number;
}

/** What a {@link KafkaExporter} needs besides its settings. */
export interface KafkaExporterParts {
  /** Path of its section in the configuration. */
  readonly path: string;
  /** Header of records that names their tenant; undefined while there is one only. */
  readonly tenantHeader: string | undefined;
  readonly logger: Logger;
}

/** Records that wait or are under way: beyond it writes are refused. Some seconds of what one core can encode. */
const QUEUE_BYTES = 32 << 20;

/** What a record takes in a request beside key, value and headers, at most; the request itself about as much. */
const RECORD_OVERHEAD_BYTES = 64;

const LOG_INTERVAL_MS = 10_000;

type SentRecord = ProducedRecord & { readonly bytes: number };

/** Writes spans to a topic. A write resolves when all replicas in sync have its records. */
export class KafkaExporter implements TraceExporter, Counting {
  readonly #settings: KafkaExporterSettings;
  readonly #parts: KafkaExporterParts;
  readonly #client: KafkaClient;
  readonly #producer: KafkaProducer;
  readonly #sender: RecordSender<SentRecord>;
  readonly #throttle = new LogThrottle(LOG_INTERVAL_MS);
  #sentSpans = 0;
  #failedSpans = 0;
  #tooLargeSpans = 0;
  #isStopped = false;

  constructor(settings: KafkaExporterSettings, parts: KafkaExporterParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#client = new KafkaClient(parts.path, settings, parts.logger);
    this.#producer = new KafkaProducer(this.#client, settings.compression);
    this.#sender = new RecordSender((records) => this.#producer.send(records), {
      requestBytes: settings.maxMessageBytes,
      queueBytes: QUEUE_BYTES,
    });
  }

  /** Does not wait for a broker: while there is none, writes are refused. */
  start(): Promise<void> {
    return this.#producer.start();
  }

  async write(tenant: Tenant, batch: SpanBatch): Promise<void> {
    const { path, tenantHeader } = this.#parts;
    const { topic, encoding, maxMessageBytes } = this.#settings;
    if (this.#isStopped) throw new SpoorError('unavailable', `${path}: shut down`);
    const headers = new Map<Buffer, Buffer>();
    if (tenantHeader !== undefined) headers.set(Buffer.from(tenantHeader), Buffer.from(tenant));
    const perRecordBytes =
      2 * RECORD_OVERHEAD_BYTES + 32 + (tenantHeader?.length ?? 0) + tenant.length;
    const maxValueBytes = maxMessageBytes - perRecordBytes;
    const { records, tooLargeSpans } = await traceRecords(batch, encoding, maxValueBytes);
    if (tooLargeSpans > 0) this.#tellTooLarge(tooLargeSpans);
    if (tooLargeSpans > 0 && records.length === 0) {
      throw new SpoorError('too_large', `${path}: no span is small enough for a record`);
    }
    try {
      await this.#sender.write(
        records.map(({ key, value }) => {
          const bytes = perRecordBytes - RECORD_OVERHEAD_BYTES + value.length;
          return { topic, key, value, headers, bytes };
        }),
      );
      this.#sentSpans += batch.rows - tooLargeSpans;
    } catch (error) {
      this.#failedSpans += batch.rows - tooLargeSpans;
      this.#throttle.log((suppressed) =>
        this.#parts.logger.warn({ err: error, suppressed }, `${path}: spans were not taken`),
      );
      throw error;
    }
  }

  async shutdown(deadlineMs: number): Promise<void> {
    this.#isStopped = true;
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([this.#sender.idle(), deadline]);
    clearTimeout(timer);
    this.#sender.abandon(new SpoorError('unavailable', `${this.#parts.path}: shut down`));
    await this.#producer.shutdown();
    this.#client.shutdown();
  }

  *figures(): ReturnType<Counting['figures']> {
    const counter = (name: string, help: string, value: number) =>
      ({ name, kind: 'counter', help, value }) as const;
    yield counter('otelcol_exporter_sent_spans', 'Spans that were acknowledged.', this.#sentSpans);
    yield counter(
      'otelcol_exporter_send_failed_spans',
      'Spans of batches that were not taken; who sent them was told so.',
      this.#failedSpans,
    );
    yield counter(
      'spoor_kafka_exporter_too_large_spans_total',
      'Spans that were dropped since one alone is larger than a record may be.',
      this.#tooLargeSpans,
    );
    yield {
      name: 'spoor_kafka_exporter_queue_bytes',
      kind: 'gauge',
      help: 'Bytes of records that wait for their acknowledgement.',
      value: this.#sender.queuedBytes,
    };
  }

  #tellTooLarge(spans: number): void {
    this.#tooLargeSpans += spans;
    const { path, logger } = this.#parts;
    this.#throttle.log((suppressed) =>
      logger.error(
        { spans, maxMessageBytes: this.#settings.maxMessageBytes, suppressed },
        `${path}: spans larger than producer.max_message_bytes were dropped`,
      ),
    );
  }
}
