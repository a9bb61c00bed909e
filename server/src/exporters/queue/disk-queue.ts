// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import type { ExportRequest } from '#exporters/sending/transport.ts';
import { pause } from '#exporters/sending/pause.ts';
import { isRetryable, settleAll } from '#pipeline/settle-all.ts';
import { LogThrottle, type Logger } from '#net/logger.ts';
import { WRITES_OF_ONE_BODY } from '#pipeline/trace-sink.ts';
import { afterTimeout, type Later } from '#later.ts';
import {
  makeDurableDir,
  writeFully,
  type StoreFiles,
} from '#storage/columnar/files/store-files.ts';
import { encodeRecord, recordBytes } from './queue-record.ts';
import { QueueSegment, type QueuedRequest } from './queue-segment.ts';
import type { QueueFigures, SendingQueue, SendRequest } from './sending-queue.ts';

/** Options of a {@link DiskQueue}. */
export interface DiskQueueOptions {
  /** How the log and errors call it: the path of the exporter's section. */
  readonly path: string;
  readonly files: StoreFiles;
  /** Directory of its own. */
  readonly dir: string;
  readonly send: SendRequest;
  /** Requests that are sent at the same time. */
  readonly maxUnderWay: number;
  /** Bytes on disk at most. */
  readonly capacityBytes: number;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly later?: Later;
}

/** Size at which a segment is left for a new one; it goes as a whole, so a full queue has room again in steps of this. */
const SEGMENT_BYTES = 16 << 20;
/** In small queues a segment is this part of the capacity. */
const LEAST_SEGMENTS = 8;

/** Bytes that may wait for the device, but for those of some writes: they are in memory. */
const MAX_PENDING_BYTES = 32 << 20;

/** Bytes of requests that are sent at the same time, but for the first: they are in memory. */
const MAX_UNDER_WAY_BYTES = 32 << 20;

/** When a sender should come again, in ms. */
const RETRY_AFTER_MS = 1000;

/** How soon something that failed and must go on is tried again, in ms. */
const PAUSE_MS = 1000;

const LOG_INTERVAL_MS = 10_000;

interface PendingPut {
  readonly request: ExportRequest;
  readonly sizeBytes: number;
  readonly resolve: () => void;
  readonly reject: (error: SpoorError) => void;
}

/**
 * Keeps requests in files until a server has taken them. What was put is on disk before `put` resolves, and is sent, oldest first,
 * however often the process ends meanwhile; a request may be sent twice then, with the same bytes.
 *
 * One group of puts is on its way to the disk at a time: one write and one fdatasync for all that came meanwhile. After a write
 * that failed nobody knows what is on disk, so nothing is written behind it: the next group begins a new file.
 */
export class DiskQueue implements SendingQueue {
  readonly #options: DiskQueueOptions;
  readonly #later: Later;
  readonly #abort = new AbortController();
  readonly #segmentBytes: number;
  /** Oldest first. */
  #segments: QueueSegment[] = [];
  #nextId = 1;
  #lock: { release(): void } | undefined;
  readonly #pending: PendingPut[] = [];
  #pendingBytes = 0;
  #pendingWrites = 0;
  #writing: Promise<void> | undefined;
  #sending: Promise<void> | undefined;
  #underWay = 0;
  #underWayBytes = 0;
  #refusedSpans = 0;
  #isOpen = false;
  /** Segments that a read has just failed on. */
  readonly #unreadable = new Set<QueueSegment>();
  readonly #throttle = new LogThrottle(LOG_INTERVAL_MS);
  #hasNews = false;
  #onNews: (() => void) | undefined;

  constructor(options: DiskQueueOptions) {
    this.#options = options;
    this.#later = options.later ?? afterTimeout;
    this.#segmentBytes = Math.min(SEGMENT_BYTES, options.capacityBytes / LEAST_SEGMENTS);
  }

  get figures(): QueueFigures {
    return {
      underWay: this.#underWay,
      // The rest of what is on disk was sent: it goes with its segment.
      usedBytes: this.#segments.reduce(
        (sum, { waitingBytes }) => sum + waitingBytes,
        this.#pendingBytes,
      ),
      capacityBytes: this.#options.capacityBytes,
      refusedSpans: this.#refusedSpans,
    };
  }

  /** Bytes on disk, with those on their way there. */
  get #usedBytes(): number {
    return this.#segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, this.#pendingBytes);
  }

  /** Opens the directory and begins to send what is in it. */
  async start(): Promise<void> {
    const { files, dir, path, logger } = this.#options;
    try {
      await makeDurableDir(files, dir);
      this.#lock = files.lock(dir);
      for (const name of await files.readdir(dir)) {
        const id = idOf(name);
        if (id !== undefined) await this.#find(id);
      }
      this.#segments.sort((a, b) => a.id - b.id);
    } catch (cause) {
      await this.#close();
      throw new SpoorError(
        'unavailable',
        `${path}: the queue in ${dir} cannot be opened: ${messageOf(cause)}`,
        { cause },
      );
    }
    if (this.#usedBytes > 0) {
      logger.info({}, `${path}: ${this.#usedBytes} bytes of before the start are sent`);
    }
    this.#isOpen = true;
    this.#sending = this.#sendAll();
  }

  async put(...requests: readonly ExportRequest[]): Promise<void> {
    const sizeBytes = requests.reduce((sum, request) => sum + recordBytes(request), 0);
    if (this.#usedBytes + sizeBytes > this.#options.capacityBytes) await this.#leaveSent();
    const refusal = this.#refusal(sizeBytes);
    if (refusal !== undefined) {
      this.#refusedSpans += requests.reduce((sum, { spans }) => sum + spans, 0);
      throw refusal;
    }
    this.#pendingWrites++;
    try {
      await settleAll(requests.map((request) => this.#keep(request)));
    } finally {
      this.#pendingWrites--;
    }
  }

  /** The last segment goes, which else waits for more, when all in it was sent and its place is needed. */
  async #leaveSent(): Promise<void> {
    const last = this.#segments.at(-1);
    if (last === undefined || last.waitingBytes > 0 || this.#writing !== undefined) return;
    last.isFull = true;
    await this.#removeDone();
  }

  #keep(request: ExportRequest): Promise<void> {
    const sizeBytes = recordBytes(request);
    this.#pendingBytes += sizeBytes;
    return new Promise((resolve, reject) => {
      this.#pending.push({ request, sizeBytes, resolve, reject });
      this.#writing ??= this.#writePending();
    });
  }

  async shutdown(deadlineMs: number): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#writing;
    const cancel = this.#later(() => {
      this.#abort.abort();
      this.#wake();
    }, deadlineMs);
    this.#wake();
    await this.#sending;
    cancel();
    for (const segment of this.#segments) segment.isFull = true;
    await this.#removeDone();
    await this.#close();
  }

  #refusal(sizeBytes: number): SpoorError | undefined {
    const { path, capacityBytes } = this.#options;
    if (!this.#isOpen) return new SpoorError('unavailable', `${path}: its queue is not open`);
    if (sizeBytes > capacityBytes) {
      return new SpoorError(
        'too_large',
        `${path}: a write of ${sizeBytes} bytes is over the ${capacityBytes} of the queue`,
      );
    }
    const usedBytes = this.#usedBytes;
    const isFull = usedBytes + sizeBytes > capacityBytes;
    if (
      !isFull &&
      (this.#pendingWrites < WRITES_OF_ONE_BODY ||
        this.#pendingBytes + sizeBytes <= MAX_PENDING_BYTES)
    ) {
      return undefined;
    }
    const why = isFull
      ? `the queue holds ${usedBytes} bytes, ${sizeBytes} more are over the limit of ${capacityBytes}`
      : `${this.#pendingBytes} bytes wait for the disk of the queue`;
    return new SpoorError('overloaded', `${path}: no room now: ${why}`, {
      retryAfterMs: RETRY_AFTER_MS,
    });
  }

  /** Writes group after group until nothing waits. */
  async #writePending(): Promise<void> {
    // Puts of the same turn of the event loop go together.
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const last = this.#segments.at(-1);
      const current = last?.isFull === false ? last : undefined;
      const fits =
        current !== undefined && current.end + this.#pending[0]!.sizeBytes <= this.#segmentBytes;
      if (current !== undefined && !fits) current.isFull = true;
      const group = this.#takeGroup(fits ? current.end : 0);
      try {
        await this.#write(fits ? current : await this.#create(), group);
        for (const { resolve } of group) resolve();
      } catch (cause) {
        this.#reject(group, cause);
      } finally {
        this.#pendingBytes -= sumOf(group);
      }
      this.#wake();
    }
    this.#writing = undefined;
  }

  /** Takes what fits into a segment behind `end`, the first in any case. */
  #takeGroup(end: number): PendingPut[] {
    let count = 0;
    let at = end;
    do at += this.#pending[count++]!.sizeBytes;
    while (
      count < this.#pending.length &&
      at + this.#pending[count]!.sizeBytes <= this.#segmentBytes
    );
    return this.#pending.splice(0, count);
  }

  async #write(segment: QueueSegment, group: readonly PendingPut[]): Promise<void> {
    const end = segment.end + sumOf(group);
    segment.sizeBytes = end;
    try {
      const records = group.flatMap(({ request }) => encodeRecord(request, segment.id));
      await writeFully(segment.file, records, segment.end);
      await segment.file.fdatasync();
    } catch (error) {
      segment.isFull = true;
      // On a full disk every put makes one; the first failure in it leaves it empty.
      await this.#removeDone();
      throw error;
    }
    segment.end = end;
  }

  #reject(group: readonly PendingPut[], cause: unknown): void {
    const { path, dir, logger } = this.#options;
    const error = new SpoorError(
      'unavailable',
      `${path}: the queue in ${dir} cannot keep it: ${messageOf(cause)}`,
      { cause, retryAfterMs: RETRY_AFTER_MS },
    );
    this.#throttle.log((suppressed) => logger.error({ suppressed }, error.message));
    for (const { reject } of group) reject(error);
  }

  /** A new segment, whose name is durable. */
  async #create(): Promise<QueueSegment> {
    const { files, dir } = this.#options;
    const id = this.#nextId++;
    const path = join(dir, nameOf(id));
    const file = await files.open(path, 'create');
    try {
      await files.fsyncDir(dir);
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
    const segment = new QueueSegment(id, path, file, 0);
    this.#segments.push(segment);
    return segment;
  }

  /** A segment of before the start. */
  async #find(id: number): Promise<void> {
    const { files, dir } = this.#options;
    this.#nextId = Math.max(this.#nextId, id + 1);
    const path = join(dir, nameOf(id));
    const file = await files.open(path, 'update');
    const segment = new QueueSegment(id, path, file, await file.size());
    segment.isFull = true;
    this.#segments.push(segment);
  }

  /** Sends what is read, oldest first, until all is sent after the queue was closed, or the time is up. */
  async #sendAll(): Promise<void> {
    const { signal } = this.#abort;
    for (;;) {
      const next = signal.aborted || !this.#hasRoomToSend ? undefined : await this.#next();
      if (next !== undefined) {
        void this.#send(next);
        continue;
      }
      const isAllSent = !this.#isOpen && !this.#segments.some(({ hasNext }) => hasNext);
      if (this.#underWay === 0 && (isAllSent || signal.aborted)) return;
      await this.#news();
    }
  }

  get #hasRoomToSend(): boolean {
    return this.#underWay < this.#options.maxUnderWay && this.#underWayBytes < MAX_UNDER_WAY_BYTES;
  }

  async #next(): Promise<QueuedRequest | undefined> {
    for (const segment of this.#segments) {
      if (!segment.hasNext || this.#unreadable.has(segment)) continue;
      try {
        const next = await segment.next();
        if (next !== undefined) return next;
        await this.#removeDone();
      } catch (error) {
        const { path, logger } = this.#options;
        logger.error({}, `${path}: ${segment.path} cannot be read for now: ${messageOf(error)}`);
        this.#unreadable.add(segment);
        this.#later(() => {
          this.#unreadable.delete(segment);
          this.#wake();
        }, PAUSE_MS);
      }
    }
    return undefined;
  }

  async #send(queued: QueuedRequest): Promise<void> {
    const { request, segment } = queued;
    this.#underWay++;
    this.#underWayBytes += request.body.length;
    if (await this.#sendUntilDone(request)) {
      // A mark that cannot be written only means that it is sent again after a restart.
      await segment.finish(queued).catch(() => undefined);
      await this.#removeDone();
    }
    this.#underWay--;
    this.#underWayBytes -= request.body.length;
    this.#wake();
  }

  /** @returns false when the time is up before a server took it */
  async #sendUntilDone(request: ExportRequest): Promise<boolean> {
    const { signal } = this.#abort;
    for (;;) {
      try {
        await this.#options.send(request, signal);
        return true;
      } catch (error) {
        // No server will ever take it; who sent it has counted it.
        if (!isRetryable(error)) return true;
        if (!(await pause(PAUSE_MS, signal, this.#later))) return false;
      }
    }
  }

  /** Removes segments of which nothing is needed any more. */
  async #removeDone(): Promise<void> {
    const { files, path, logger } = this.#options;
    const done = this.#segments.filter(({ isDone }) => isDone);
    this.#segments = this.#segments.filter((segment) => !done.includes(segment));
    for (const segment of done) {
      if (segment.skippedBytes > 0) {
        const what = `${segment.skippedBytes} bytes were no whole requests: not acknowledged, or damaged`;
        logger.warn({}, `${path}: ${segment.path}: ${what}`);
      }
      try {
        await files.unlink(segment.path);
      } catch (error) {
        logger.warn({}, `${path}: ${segment.path} cannot be removed: ${messageOf(error)}`);
      }
      await segment.file.close().catch(() => undefined);
    }
  }

  async #close(): Promise<void> {
    // All that was acknowledged is synced: a failing close loses nothing.
    for (const { file } of this.#segments) await file.close().catch(() => undefined);
    this.#segments = [];
    this.#lock?.release();
    this.#lock = undefined;
  }

  /** Resolves when {@link #wake} was called since the last time. */
  async #news(): Promise<void> {
    if (!this.#hasNews) await new Promise<void>((resolve) => (this.#onNews = resolve));
    this.#hasNews = false;
  }

  #wake(): void {
    this.#hasNews = true;
    this.#onNews?.();
  }
}

function sumOf(puts: readonly PendingPut[]): number {
  return puts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function nameOf(id: number): string {
  return `${String(id).padStart(10, '0')}.queue`;
}

function idOf(name: string): number | undefined {
  const match = /^(\d{10})\.queue$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}
