// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';

/** What a {@link RecordSender} has to know of a record. */
export interface SizedRecord {
  /** With its share of the request around it. */
  readonly bytes: number;
}

/** The records of one write, and who waits for them. */
interface PendingWrite {
  left: number;
  isOver: boolean;
  /** Why records of it will never be taken; the others are sent all the same. */
  refusal: unknown;
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
  #requestBytes: number;
  #queue: QueuedRecord<R>[] = [];
  #isRunning = false;

  /**
   * @param send resolves when all records are acknowledged; rejects with a SpoorError
   * @param requestBytes of the records of one request; less once a broker takes no request as large as that
   */
  constructor(send: (records: R[]) => Promise<void>, requestBytes: number) {
    this.#send = send;
    this.#requestBytes = requestBytes;
  }

  /**
   * Resolves when all records are acknowledged. How many writes are under way is bounded by who makes them.
   * @param signal fires when the write is given up: what was not sent of it is not sent any more
   * @throws {SpoorError} what `send` threw, once all records were tried where it is for good; unavailable when it was given up: some
   * may have been sent
   */
  async write(records: readonly R[], signal: AbortSignal): Promise<void> {
    if (records.length === 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const write = { left: records.length, isOver: false, refusal: undefined, resolve, reject };
    for (const record of records) this.#queue.push({ record, write });
    const giveUp = (): void =>
      fail(write, new SpoorError('unavailable', 'kafka: no answer in time'));
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp);
    if (!this.#isRunning) void this.#run();
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** Gives up what waits. */
  abandon(error: SpoorError): void {
    for (const { write } of this.#queue.splice(0)) fail(write, error);
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
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
        if (!(error instanceof SpoorError) || !error.retryable) {
          for (const { write } of chunk) refuse(write, error);
          continue;
        }
        for (const { write } of chunk) fail(write, error);
        // The next request would only wait as long for the same.
        this.abandon(error);
      }
    }
    this.#isRunning = false;
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
      if (queued.write.isOver) continue;
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
  if (write.refusal !== undefined) return fail(write, write.refusal);
  write.isOver = true;
  write.resolve();
}

function refuse(write: PendingWrite, error: unknown): void {
  write.refusal ??= error;
  succeed(write);
}

function fail(write: PendingWrite, error: unknown): void {
  if (write.isOver) return;
  write.isOver = true;
  write.reject(error);
}
