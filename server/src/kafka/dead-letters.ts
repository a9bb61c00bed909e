// SPDX-License-Identifier: Apache-2.0
import { setTimeout as wait } from 'node:timers/promises';
import type { Refusal } from '#net/refusal.ts';
import { LogThrottle, type Logger } from '#net/logger.ts';
import type { KafkaClient } from './kafka-client.ts';
import { KafkaProducer } from './kafka-producer.ts';

/** A record of a topic, as it is taken. */
export interface KafkaRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly key: Buffer | undefined;
  readonly value: Buffer | undefined;
  readonly headers: ReadonlyMap<Buffer, Buffer>;
}

/**
 * A record that cannot be kept is tried to be set aside so often, and then dropped: it must not stop those behind it. Each
 * try has its own retries, some seconds in all.
 */
const TRIES = 3;
const PAUSE_MS = 1000;

const LOG_INTERVAL_MS = 10_000;

/** Where records go that can never be stored: to a topic, with where they were and why in headers, or nowhere. */
export class DeadLetters {
  readonly #producer: KafkaProducer | undefined;
  readonly #topic: string;
  readonly #path: string;
  readonly #logger: Logger;
  readonly #throttle = new LogThrottle(LOG_INTERVAL_MS);
  /** Records that were set aside, and those that are lost. */
  kept = 0;
  dropped = 0;

  /** @param topic empty: such records are dropped */
  constructor(path: string, topic: string, client: KafkaClient, logger: Logger) {
    this.#path = path;
    this.#topic = topic;
    this.#logger = logger;
    this.#producer = topic === '' ? undefined : new KafkaProducer(client, 'none');
  }

  /** @throws {SpoorError} config */
  async start(): Promise<void> {
    await this.#producer?.start();
  }

  /** Sets a record aside, or drops it when that cannot be done. Never rejects. */
  async add(record: KafkaRecord, refusal: Refusal): Promise<void> {
    const isKept = await this.#keep(record, refusal);
    if (isKept) this.kept++;
    else this.dropped++;
    const { topic, partition, offset } = record;
    const { reason, message } = refusal;
    const where = { topic, partition, offset: String(offset), reason, message };
    this.#throttle.log((suppressed) =>
      this.#logger.error(
        { ...where, suppressed },
        `${this.#path}: a record that cannot be stored was ${isKept ? 'set aside' : 'dropped'}`,
      ),
    );
  }

  /** Never rejects. */
  async shutdown(): Promise<void> {
    await this.#producer?.shutdown();
  }

  async #keep(record: KafkaRecord, refusal: Refusal): Promise<boolean> {
    if (this.#producer === undefined) return false;
    const { key, value } = record;
    const letter = {
      topic: this.#topic,
      ...(key === undefined ? {} : { key }),
      ...(value === undefined ? {} : { value }),
      headers: lettersHeaders(record, refusal),
    };
    for (let tries = 1; ; tries++) {
      try {
        await this.#producer.send([letter]);
        return true;
      } catch {
        if (tries === TRIES) return false;
        await wait(PAUSE_MS);
      }
    }
  }
}

function lettersHeaders(record: KafkaRecord, refusal: Refusal): Map<Buffer, Buffer> {
  const headers = new Map(record.headers);
  const { topic, partition, offset } = record;
  for (const [name, value] of Object.entries({
    'spoor.topic': topic,
    'spoor.partition': String(partition),
    'spoor.offset': String(offset),
    'spoor.reason': refusal.reason,
    'spoor.message': refusal.message,
  })) {
    headers.set(Buffer.from(name), Buffer.from(value));
  }
  return headers;
}
