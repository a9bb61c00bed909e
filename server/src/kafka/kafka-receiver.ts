// SPDX-License-Identifier: Apache-2.0
import { setTimeout as wait } from 'node:timers/promises';
import { Backoff } from '#exporters/sending/backoff.ts';
import { LogThrottle } from '#net/logger.ts';
import type { ReceiverParts } from '#receivers/intake.ts';
import type { ReceiverFigures } from '#receivers/receiver-counters.ts';
import {
  ConsumerSession,
  type ConsumerSessionSettings,
  type PartitionLag,
} from './consumer-session.ts';
import { DeadLetters } from './dead-letters.ts';
import { KafkaClient, type KafkaClientSettings, type KafkaLibrary } from './kafka-client.ts';
import { type KafkaEncoding, RECORD_FORMATS } from './kafka-encoding.ts';
import { rootMessage } from './kafka-producer.ts';
import { RecordIntake, type RecordIntakeSettings } from './record-intake.ts';

/** Settings of a {@link KafkaReceiver}. */
export interface KafkaReceiverSettings
  extends
    KafkaClientSettings,
    ConsumerSessionSettings,
    Pick<RecordIntakeSettings, 'path' | 'tenant'> {
  readonly encoding: KafkaEncoding;
  /** Where records go that can never be stored; empty: nowhere. */
  readonly deadLetterTopic: string;
}

/** What a receiver from Kafka has counted beside what all receivers count. */
export interface KafkaReceiverFigures {
  /** Times that a record was refused for the moment, and is tried again. */
  readonly retries: number;
  /** Records that can never be stored: those set aside, and those dropped. */
  readonly deadLetters: number;
  readonly droppedRecords: number;
  /** The partitions that are ours now. */
  readonly partitions: readonly PartitionLag[];
}

/** Pauses between sessions that fail soon, in ms. */
const PAUSES = { initialIntervalMs: 1000, maxIntervalMs: 30_000, multiplier: 2 };

/** A session that lived so long has worked. */
const LASTING_MS = 60_000;

/** Time that the records under way have when a session has failed. */
const FAILED_END_MS = 5_000;

const LOG_INTERVAL_MS = 10_000;

/**
 * Takes spans from topics as a member of a group. Offsets are committed only when what comes after has the spans safely,
 * so nothing that is in a topic is lost; what comes twice is found once.
 */
export class KafkaReceiver {
  readonly #settings: KafkaReceiverSettings;
  readonly #parts: ReceiverParts;
  readonly #client: KafkaClient;
  readonly #deadLetters: DeadLetters;
  readonly #intake: RecordIntake;
  readonly #throttle = new LogThrottle(LOG_INTERVAL_MS);
  readonly #stopping = new AbortController();
  #session: ConsumerSession | undefined;
  #running: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(settings: KafkaReceiverSettings, parts: ReceiverParts) {
    const { path, encoding, tenant, deadLetterTopic } = settings;
    this.#settings = settings;
    this.#parts = parts;
    this.#client = new KafkaClient(path, settings, parts.logger);
    this.#deadLetters = new DeadLetters(path, deadLetterTopic, this.#client, parts.logger);
    const format = RECORD_FORMATS[encoding];
    this.#intake = new RecordIntake({ path, format, tenant }, parts, this.#deadLetters);
  }

  /** What was received since the start; a record is a request. */
  get figures(): ReceiverFigures {
    return this.#intake.counters.figures;
  }

  get kafkaFigures(): KafkaReceiverFigures {
    return {
      retries: this.#intake.retries,
      deadLetters: this.#deadLetters.kept,
      droppedRecords: this.#deadLetters.dropped,
      partitions: this.#session?.lags() ?? [],
    };
  }

  /**
   * Does not wait for a broker: while there is none, it is tried again and again.
   * @throws {SpoorError} config
   */
  async start(): Promise<void> {
    const library = await this.#client.start();
    await this.#deadLetters.start();
    this.#running ??= this.#run(library);
  }

  /** Waits for the records under way, up to the deadline, and commits those that are done. Safe at any time. */
  shutdown(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  async #stop(deadlineMs: number): Promise<void> {
    this.#stopping.abort();
    await this.#session?.end(deadlineMs);
    await this.#running;
    await this.#deadLetters.shutdown();
    this.#client.shutdown();
  }

  /** One session after the other. Never rejects. */
  async #run(library: KafkaLibrary): Promise<void> {
    const { signal } = this.#stopping;
    let pauses = new Backoff(PAUSES, Math.random);
    while (!signal.aborted) {
      const startMs = performance.now();
      await this.#consume(library);
      if (signal.aborted) return;
      if (performance.now() - startMs >= LASTING_MS) pauses = new Backoff(PAUSES, Math.random);
      await wait(pauses.next(), undefined, { signal }).catch(() => undefined);
    }
  }

  async #consume(library: KafkaLibrary): Promise<void> {
    const { path } = this.#settings;
    const session = new ConsumerSession(this.#settings, {
      path,
      library,
      options: this.#client.options,
      take: (record, signal) => this.#intake.take(record, signal),
      waiting: () => this.#intake.waiting,
      logger: this.#parts.logger,
    });
    this.#session = session;
    try {
      await session.run();
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      const reason = error instanceof Error ? rootMessage(error) : String(error);
      this.#throttle.log((suppressed) =>
        this.#parts.logger.warn(
          { reason, suppressed },
          `${path}: consuming failed and begins anew`,
        ),
      );
      await session.end(FAILED_END_MS);
    } finally {
      if (!this.#stopping.signal.aborted) this.#session = undefined;
    }
  }
}
