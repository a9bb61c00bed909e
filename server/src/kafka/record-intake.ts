// SPDX-License-Identifier: Apache-2.0
import { setTimeout as wait } from 'node:timers/promises';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import { Backoff } from '#exporters/sending/backoff.ts';
import { LogThrottle } from '#net/logger.ts';
import { NO_ROOM_NOW, refusalOf, type Refusal } from '#net/refusal.ts';
import type { IngestFormat } from '#pipeline/trace-ingest.ts';
import type { ReceiverParts } from '#receivers/intake.ts';
import { ReceiverCounters } from '#receivers/receiver-counters.ts';
import type { DeadLetters, KafkaRecord } from './dead-letters.ts';

/** How records are taken. */
export interface RecordIntakeSettings {
  /** Path of the receiver in the configuration. */
  readonly path: string;
  readonly format: IngestFormat;
  /** Whose spans are in records without a header that says it; undefined: such records are not stored. */
  readonly tenant: Tenant | undefined;
}

/** What a record costs beside its bytes: objects, promises. */
const RECORD_OVERHEAD_BYTES = 1024;

/** Pauses before a record is tried again, in ms. */
const PAUSES = { initialIntervalMs: 200, maxIntervalMs: 10_000, multiplier: 2 };

const LOG_INTERVAL_MS = 10_000;

/** What is wrong with a record itself. The rest can be put right: a token of the next hop, a fault of ours. */
const NEVER_STORED: ReadonlySet<Refusal['reason']> = new Set([
  'malformed',
  'too_large',
  'unsupported',
  'unauthenticated',
]);

/**
 * Takes records, each until it is stored. One that never can be is a dead letter; one that is refused for another reason is
 * tried again, for ever.
 */
export class RecordIntake {
  readonly counters = new ReceiverCounters();
  readonly #settings: RecordIntakeSettings;
  readonly #parts: ReceiverParts;
  readonly #deadLetters: Pick<DeadLetters, 'add'>;
  readonly #random: () => number;
  readonly #throttle = new LogThrottle(LOG_INTERVAL_MS);
  #waiting = 0;
  #retries = 0;

  /** @param random numbers in [0, 1), for the pauses */
  constructor(
    settings: RecordIntakeSettings,
    parts: ReceiverParts,
    deadLetters: Pick<DeadLetters, 'add'>,
    random: () => number = Math.random,
  ) {
    this.#random = random;
    this.#settings = settings;
    this.#parts = parts;
    this.#deadLetters = deadLetters;
  }

  /** Records that wait to be tried again. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Times that a record was to be tried again. */
  get retries(): number {
    return this.#retries;
  }

  /**
   * Takes a record. Never rejects.
   * @param signal ends the waiting for another try
   * @returns whether it is done: stored, or nothing more can be done for it
   */
  async take(record: KafkaRecord, signal: AbortSignal): Promise<boolean> {
    const { format } = this.#settings;
    const bytes = record.value?.length ?? 0;
    this.counters.countBody(format, bytes, bytes);
    const pauses = new Backoff(PAUSES, this.#random);
    for (;;) {
      const refusal = await this.#try(record);
      if (refusal === undefined) return true;
      if (NEVER_STORED.has(refusal.reason)) {
        this.counters.countRefused(format, refusal);
        await this.#deadLetters.add(record, refusal);
        return true;
      }
      if (!(await this.#pause(pauses.next(), signal))) return false;
    }
  }

  /** @returns undefined when the record is stored */
  async #try({ value = EMPTY, headers }: KafkaRecord): Promise<Refusal | undefined> {
    const { format } = this.#settings;
    const { ingest, budgetOf, tenantCounters } = this.#parts;
    try {
      const tenant = this.#tenantOf(headers);
      const budget = budgetOf(tenant);
      const size = value.length + RECORD_OVERHEAD_BYTES;
      if (size > budget.limitBytes) {
        const message = `kafka: a record takes ${size} > ${budget.limitBytes} bytes that there are for bodies`;
        throw new SpoorError('too_large', message);
      }
      const lease = budget.reserve(size);
      if (lease === undefined) throw NO_ROOM_NOW;
      try {
        const result = await ingest.ingest(tenant, format, value);
        this.counters.countTaken(format, result);
        tenantCounters?.countTaken(tenant, result.accepted, value.length);
        return undefined;
      } finally {
        lease.release();
      }
    } catch (error) {
      const refusal = refusalOf(error);
      const isForNow = refusal.retryAfterMs !== undefined;
      if (!isForNow && !NEVER_STORED.has(refusal.reason)) this.#logFault(error);
      return refusal;
    }
  }

  #tenantOf(headers: KafkaRecord['headers']): Tenant {
    const { tenancy } = this.#parts;
    const { tenant } = this.#settings;
    const name = tenancy.header;
    if (name === undefined) return tenancy.tenantOf(() => undefined);
    let value: string | undefined;
    for (const [key, bytes] of headers) {
      if (key?.toString().toLowerCase() === name) value = bytes?.toString();
    }
    return value === undefined && tenant !== undefined ? tenant : tenancy.tenantOf(() => value);
  }

  /** @returns false when it was cut short */
  async #pause(pauseMs: number, signal: AbortSignal): Promise<boolean> {
    this.#retries++;
    this.#waiting++;
    try {
      await wait(pauseMs, undefined, { signal });
      return true;
    } catch {
      return false;
    } finally {
      this.#waiting--;
    }
  }

  #logFault(error: unknown): void {
    this.#throttle.log((suppressed) =>
      this.#parts.logger.error(
        { err: error, suppressed },
        `${this.#settings.path}: a record failed, and is tried again until it is stored`,
      ),
    );
  }
}

const EMPTY = Buffer.alloc(0);
