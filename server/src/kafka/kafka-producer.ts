// SPDX-License-Identifier: Apache-2.0
import type { Producer } from '@platformatic/kafka';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { KafkaClient } from './kafka-client.ts';

/** Compression of the records of a request. */
export type KafkaCompression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** A record to produce. */
export interface ProducedRecord {
  readonly topic: string;
  readonly key?: Buffer;
  readonly value?: Buffer;
  readonly headers?: Map<Buffer, Buffer>;
}

/** Errors of brokers that come again with the same records. */
const TOO_LARGE = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'];

/**
 * Produces records, acknowledged by all replicas in sync, and once each as far as one producer lives: it numbers them, so
 * that a request which is sent again is known to the broker.
 */
export class KafkaProducer {
  readonly #client: KafkaClient;
  readonly #compression: KafkaCompression;
  #producer: Producer | undefined;
  #library: Awaited<ReturnType<KafkaClient['start']>> | undefined;

  /** @param client started by whoever made it, after this producer is */
  constructor(client: KafkaClient, compression: KafkaCompression) {
    this.#client = client;
    this.#compression = compression;
  }

  /** @throws {SpoorError} config */
  async start(): Promise<void> {
    const library = await this.#client.start();
    this.#library = library;
    this.#producer = new library.Producer({
      ...this.#client.options,
      acks: library.ProduceAcks.ALL,
      idempotent: true,
      compression: this.#compression,
      // The partition that Java's clients choose for the same key.
      partitioner: library.compatibilityPartitioner,
    });
  }

  /**
   * Resolves when all records are acknowledged. One at a time: their order is kept.
   * @throws {SpoorError} unavailable: some may have been written; too_large: the broker takes no request of this size
   */
  async send(records: readonly ProducedRecord[]): Promise<void> {
    const producer = this.#producer;
    if (producer === undefined) throw new SpoorError('unavailable', 'kafka: not started');
    try {
      await producer.send({ messages: records.map((record) => ({ ...record })) });
    } catch (error) {
      throw this.#refusal(error);
    }
  }

  /** Closes the connections. Never rejects. */
  async shutdown(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.close(true).catch(() => undefined);
  }

  #refusal(error: unknown): SpoorError {
    const cause = error instanceof Error ? error : new Error(String(error));
    const isTooLarge = TOO_LARGE.some(
      (apiId) => this.#library?.findErrorBy(cause, 'apiId', apiId) != null,
    );
    return isTooLarge
      ? new SpoorError(
          'too_large',
          'kafka: the broker takes no records of this size: producer.max_message_bytes is more than its max.message.bytes',
          { cause },
        )
      : new SpoorError('unavailable', `kafka: ${rootMessage(cause)}`, { cause });
  }
}

/** What went wrong first: the errors above only say which operation failed how often. */
export function rootMessage(error: Error): string {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) {
    return rootMessage(error.errors[0]);
  }
  return error.cause instanceof Error ? rootMessage(error.cause) : error.message;
}
