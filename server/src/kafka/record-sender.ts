// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import { WRITES_OF_ONE_BODY } from '#pipeline/trace-sink.ts';

/** What a {@link RecordSender} has to know of a record. */
export interface SizedRecord {
  /** With its share of the request around it. */
  readonly bytes: number;
}

/** Bounds of a {@link RecordSender}, in bytes. */
export interface SenderLimits {
  /** Of the records of one request; less once a broker takes no request as large as that. */
  readonly requestBytes: number;
  /** Of all records that wait or are under way; beyond it writes are refused, but for some that always find room. */
  readonly queueBytes: number;
}

/** The records of one write, and who waits for them. */
interface PendingWrite {
  left: number;
  isOver: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface QueuedRecord<R> {
  readonly record: R;
  readonly write: PendingWrite;
}

/**
 * Sends records in requests, one after the other: what comes while one is under way goes with the next, so under load
 * requests become large by themselves, and records keep their order. A write is done when all its records are acknowledged.
 */
export class RecordSender<R extends SizedRecord> {
  readonly #send: (records: R[]) => Promise<void>;
  readonly #limits: SenderLimits;
  #requestBytes: number;
  #queue: QueuedRecord<R>[] = [];
  #queuedBytes = 0;
  #writes = 0;
  #running: Promise<void> | undefined;

  /** @param send resolves when all records are acknowledged; rejects with a SpoorError */
  constructor(send: (records: R[]) => Promise<void>, limits: SenderLimits) {
    this.#send = send;
    this.#limits = limits;
    this.#requestBytes = limits.requestBytes;
  }

  /** Of records that wait or are under way. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /**
   * Resolves when all records are acknowledged.
   * @throws {SpoorError} overloaded: there is no room, nothing was sent; what `send` threw: some may have been sent
   */
  write(records: readonly R[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    const bytes = records.reduce((sum, record) => sum + record.bytes, 0);
    const { queueBytes } = this.#limits;
    if (this.#writes >= WRITES_OF_ONE_BODY && this.#queuedBytes + bytes > queueBytes) {
      const message = `kafka: ${this.#queuedBytes} + ${bytes} > ${queueBytes} bytes wait to be sent`;
      return Promise.reject(new SpoorError('overloaded', message));
    }
    this.#queuedBytes += bytes;
    this.#writes++;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const write = { left: records.length, isOver: false, resolve, reject };
    for (const record of records) this.#queue.push({ record, write });
    this.#running ??= this.#run();
    return promise.finally(() => this.#writes--);
  }

  /** Resolves once nothing is under way; what is written later is sent too. Never rejects. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Gives up what waits. */
  abandon(error: SpoorError): void {
    for (const { record, write } of this.#queue.splice(0)) {
      this.#queuedBytes -= record.bytes;
      fail(write, error);
    }
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const chunk = this.#take();
      if (chunk.length === 0) continue;
      try {
        await this.#send(chunk.map(({ record }) => record));
        for (const { write } of chunk) succeed(write);
      } catch (error) {
        if (chunk.length > 1 && error instanceof SpoorError && error.code === 'too_large') {
          // Alone each may be small enough.
          this.#requestBytes = sumOf(chunk) / 2;
          this.#queue.unshift(...chunk);
          continue;
        }
        for (const { write } of chunk) fail(write, error);
        // The next request would only wait as long for the same.
        if (error instanceof SpoorError && error.retryable) this.abandon(error);
      }
      for (const { record } of chunk) this.#queuedBytes -= record.bytes;
    }
    this.#running = undefined;
  }

  /** The records of the next request; those of a write that failed are left out. */
  #take(): QueuedRecord<R>[] {
    const chunk: QueuedRecord<R>[] = [];
    let bytes = 0;
    let taken = 0;
    for (const queued of this.#queue) {
      const size = queued.record.bytes;
      if (chunk.length > 0 && bytes + size > this.#requestBytes) break;
      taken++;
      if (queued.write.isOver) {
        this.#queuedBytes -= size;
        continue;
      }
      bytes += size;
      chunk.push(queued);
    }
    this.#queue.splice(0, taken);
    return chunk;
  }
}

function sumOf(chunk: readonly QueuedRecord<SizedRecord>[]): number {
  return chunk.reduce((sum, { record }) => sum + record.bytes, 0);
}

function succeed(write: PendingWrite): void {
  write.left--;
  if (write.left > 0 || write.isOver) return;
  write.isOver = true;
  write.resolve();
}

function fail(write: PendingWrite, error: unknown): void {
  if (write.isOver) return;
  write.isOver = true;
  write.reject(error);
}
