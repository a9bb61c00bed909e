// SPDX-License-Identifier: Apache-2.0
import { randomInt } from 'node:crypto';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { fileErrorCode, isTransientFileError, makeDurableDir, writeFully } from './store-files.ts';
import type { StoreFile, StoreFiles } from './store-files.ts';
import { alignRecord, encodeRecordHead, placeRecord } from './wal-record.ts';
import type { WalRecordInput } from './wal-record.ts';
import type { WalReplay } from './wal-replay.ts';
import {
  SEGMENT_HEADER_BYTES,
  createSegment,
  encodeSegmentHeader,
  removeUnfinishedSegment,
  segmentPath,
} from './wal-segment.ts';

/** Size of a segment: about 2 s at 20,000 spans/s; filling a new one with zeros takes some 20 ms of the device. */
export const DEFAULT_SEGMENT_BYTES = 32 << 20;

/** Bytes that may wait for the device; the same as all bodies in flight, so it is met only when the device hangs. */
const MAX_QUEUED_BYTES = 64 << 20;

/** Used-up segments kept for reuse: one is needed next, one more while the sealing of slabs is uneven. */
const MAX_SPARE_SEGMENTS = 2;

/** How long appends are refused after a segment could not be made, before that is tried again. */
const RETRY_AFTER_MS = 1000;

/** Options of {@link Wal.open}. */
export interface WalOptions {
  readonly files: StoreFiles;
  /** Directory of the segments; made when missing. Its parent must exist. */
  readonly dir: string;
  /** What replaying this directory gave; the log goes on behind it, in a segment of its own. */
  readonly replay: WalReplay;
  /** Sequences go on above this one, too: what the manifest says is sealed. */
  readonly sealedUpto: number;
  readonly segmentBytes?: number;
  /** Any steady clock, in ms. */
  readonly nowMs?: () => number;
}

/** Sequences that the records of an append got, both included. */
export interface WalPosition {
  readonly firstSequence: number;
  readonly lastSequence: number;
}

/** Figures of a log, for metrics. */
export interface WalFigures {
  /** Segments that hold records, with the one in use. */
  readonly segments: number;
  /** Size of these on disk. */
  readonly sizeBytes: number;
  /** Since the log was opened: */
  readonly groups: number;
  readonly records: number;
  readonly writtenBytes: number;
  /** Waiting now. */
  readonly queuedBytes: number;
}

interface PendingAppend {
  readonly heads: readonly Uint8Array[];
  readonly batches: readonly Uint8Array[];
  readonly sizeBytes: number;
  readonly resolve: (position: WalPosition) => void;
  readonly reject: (error: SpoorError) => void;
}

interface StoredSegment {
  readonly path: string;
  readonly sizeBytes: number;
  readonly lastSequence: number;
  readonly damaged: boolean;
}

interface OpenSegment {
  readonly id: number;
  readonly path: string;
  readonly file: StoreFile;
  readonly sizeBytes: number;
  /** End of what was written; 0 before the header is. */
  end: number;
}

/**
 * The write-ahead log of a data directory, for appending. One commit is on its way at a time; what is
 * appended meanwhile is the next group: one write and one fdatasync for all of it.
 *
 * Appending is refused for ever after a failed write or sync, because nobody knows then what is on disk, and
 * for a moment when a new segment cannot be made for want of space.
 */
export class Wal {
  readonly #files: StoreFiles;
  readonly #dir: string;
  readonly #segmentBytes: number;
  readonly #nowMs: () => number;
  readonly #salt: number;
  #nextId: number;
  #lastSequence: number;
  #stored: StoredSegment[];
  /** Paths of segments of the usual size that hold nothing worth keeping. */
  readonly #spares: string[] = [];
  #current: OpenSegment | undefined;
  /** The next segment, ready or on its way; never rejects, and is forgotten when it fails. */
  #next: Promise<OpenSegment | SpoorError> | undefined;
  readonly #queue: PendingAppend[] = [];
  #queuedBytes = 0;
  #draining: Promise<void> | undefined;
  /** Renaming and removing of what is no longer needed; never rejects. */
  #tidying: Promise<void> = Promise.resolve();
  #failure: SpoorError | undefined;
  #closed = false;
  /** The last segment that could not be made for the moment, and when to try again. */
  #noSegment: { readonly error: SpoorError; readonly untilMs: number } | undefined;
  #stalled: SpoorError | undefined;
  #groups = 0;
  #records = 0;
  #writtenBytes = 0;

  private constructor(options: WalOptions) {
    const { replay } = options;
    this.#files = options.files;
    this.#dir = options.dir;
    this.#segmentBytes = alignRecord(options.segmentBytes ?? DEFAULT_SEGMENT_BYTES);
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#salt = randomInt(2 ** 32);
    this.#nextId = Math.max(0, ...[...replay.segments, ...replay.unused].map(({ id }) => id)) + 1;
    this.#lastSequence = Math.max(replay.lastSequence, options.sealedUpto);
    this.#stored = [...replay.segments];
  }

  /**
   * Opens the log for appending, with a segment ready.
   * @throws {SpoorError} unavailable
   */
  static async open(options: WalOptions): Promise<Wal> {
    const wal = new Wal(options);
    try {
      await makeDurableDir(options.files, options.dir);
      await removeUnfinishedSegment(options.files, options.dir);
    } catch (cause) {
      throw walError(options.dir, 'cannot be opened', cause);
    }
    for (const { path, sizeBytes } of options.replay.unused) wal.#discard(path, sizeBytes);
    wal.release(options.sealedUpto);
    await wal.#tidying;
    const segment = await wal.#prepareNext();
    if (segment instanceof SpoorError) throw segment;
    return wal;
  }

  /** Sequence of the last record that is durable, or 0. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** Why nothing can be appended any more until the log is opened anew; undefined while all is well. */
  get failed(): string | undefined {
    return this.#failure?.message;
  }

  /** Why the last append was refused, such as a full disk, when the next may go well; otherwise undefined. */
  get stalled(): string | undefined {
    return this.#stalled?.message;
  }

  figures(): WalFigures {
    const current = this.#current;
    return {
      segments: this.#stored.length + (current === undefined ? 0 : 1),
      sizeBytes: this.#stored.reduce((sum, s) => sum + s.sizeBytes, current?.sizeBytes ?? 0),
      groups: this.#groups,
      records: this.#records,
      writtenBytes: this.#writtenBytes,
      queuedBytes: this.#queuedBytes,
    };
  }

  /**
   * Appends records, at least one, in this order and without others between them. Resolves when they are durable;
   * appends resolve in the order of the calls. The batches are written from where they lie and must not change until then.
   * @throws {SpoorError} overloaded or unavailable: they were refused, though after a failed write or sync they may
   * be found by a replay; too_large
   */
  append(records: readonly WalRecordInput[]): Promise<WalPosition> {
    return new Promise((resolve, reject) => {
      const heads = records.map(encodeRecordHead);
      const batches = records.map(({ batch }) => batch);
      let sizeBytes = 0;
      for (const piece of [...heads, ...batches]) sizeBytes += alignRecord(piece.length);
      const refusal = this.#refusal(sizeBytes);
      if (records.length === 0) {
        reject(new SpoorError('internal', 'write-ahead log: append of no records'));
      } else if (refusal !== undefined) {
        reject(refusal);
      } else {
        this.#queue.push({ heads, batches, sizeBytes, resolve, reject });
        this.#queuedBytes += sizeBytes;
        this.#draining ??= this.#drain();
      }
    });
  }

  /**
   * Declares everything up to a sequence stored elsewhere, durably. Segments with nothing else are used again or
   * removed, in the background.
   */
  release(uptoSequence: number): void {
    const kept: StoredSegment[] = [];
    for (const segment of this.#stored) {
      if (segment.lastSequence > uptoSequence) kept.push(segment);
      else if (segment.damaged) this.#setAside(segment.path);
      else this.#discard(segment.path, segment.sizeBytes);
    }
    this.#stored = kept;
  }

  /** Waits for the appends that were called and closes the files. May be called more than once. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
    const next = await this.#next;
    const current = this.#current;
    this.#current = undefined;
    this.#next = undefined;
    await this.#tidying;
    // Everything acknowledged is synced: a failing close loses nothing.
    await current?.file.close().catch(() => undefined);
    if (next !== undefined && 'file' in next) await next.file.close().catch(() => undefined);
  }

  /** Why an append is refused at once. */
  #refusal(sizeBytes: number): SpoorError | undefined {
    if (this.#failure !== undefined) return this.#failure;
    if (this.#closed) {
      return new SpoorError('unavailable', `write-ahead log ${this.#dir}: it is closed`);
    }
    if (this.#queuedBytes > 0 && this.#queuedBytes + sizeBytes > MAX_QUEUED_BYTES) {
      return new SpoorError(
        'overloaded',
        `write-ahead log ${this.#dir}: ${this.#queuedBytes} bytes wait for the device, ${sizeBytes} more are over the limit of ${MAX_QUEUED_BYTES}`,
        { retryAfterMs: RETRY_AFTER_MS },
      );
    }
    return undefined;
  }

  /** Commits group after group until nothing waits. */
  async #drain(): Promise<void> {
    // Appends of the same turn of the event loop go together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const segment = await this.#segmentFor(this.#queue[0]!.sizeBytes);
      if (segment instanceof SpoorError) {
        this.#rejectAll(segment);
        break;
      }
      const group = this.#takeGroup(segment);
      try {
        await this.#commit(segment, group);
      } catch (cause) {
        this.#failure = walError(
          this.#dir,
          'a write failed, so nothing is taken until it is opened anew',
          cause,
        );
        for (const { reject } of group) reject(this.#failure);
        this.#rejectAll(this.#failure);
      }
    }
    this.#draining = undefined;
  }

  #rejectAll(error: SpoorError): void {
    for (const { reject } of this.#queue.splice(0)) reject(error);
    this.#queuedBytes = 0;
  }

  /** Takes what fits into the segment from the queue; the first does. */
  #takeGroup(segment: OpenSegment): PendingAppend[] {
    let free = segment.sizeBytes - Math.max(segment.end, SEGMENT_HEADER_BYTES);
    let count = 0;
    while (count < this.#queue.length && this.#queue[count]!.sizeBytes <= free) {
      free -= this.#queue[count++]!.sizeBytes;
    }
    return this.#queue.splice(0, count);
  }

  async #commit(segment: OpenSegment, group: readonly PendingAppend[]): Promise<void> {
    const groupFirst = this.#lastSequence + 1;
    const { id: segmentId } = segment;
    const salt = this.#salt;
    const views: Uint8Array[] = [];
    if (segment.end === 0) {
      views.push(encodeSegmentHeader({ id: segmentId, salt, firstSequence: groupFirst }));
    }
    let sequence = groupFirst;
    for (const { heads, batches } of group) {
      for (const [i, head] of heads.entries()) {
        placeRecord(head, batches[i]!, { segmentId, salt, sequence, groupFirst }, views);
        sequence++;
      }
    }
    await writeFully(segment.file, views, segment.end);
    await segment.file.fdatasync();

    let lengthBytes = 0;
    for (const view of views) lengthBytes += view.length;
    segment.end += lengthBytes;
    this.#groups++;
    this.#records += sequence - groupFirst;
    this.#writtenBytes += lengthBytes;
    this.#lastSequence = sequence - 1;
    this.#stalled = undefined;
    let firstSequence = groupFirst;
    for (const { heads, sizeBytes, resolve } of group) {
      this.#queuedBytes -= sizeBytes;
      resolve({ firstSequence, lastSequence: firstSequence + heads.length - 1 });
      firstSequence += heads.length;
    }
    if (segment.end > segment.sizeBytes / 2) void this.#prepareNext();
  }

  /** The segment in use when it has room, or the next one. */
  async #segmentFor(sizeBytes: number): Promise<OpenSegment | SpoorError> {
    const current = this.#current;
    if (current !== undefined && current.end + sizeBytes <= current.sizeBytes) return current;
    const isLarge = SEGMENT_HEADER_BYTES + sizeBytes > this.#segmentBytes;
    const next = isLarge
      ? await this.#prepare(SEGMENT_HEADER_BYTES + sizeBytes)
      : await this.#prepareNext();
    if (next instanceof SpoorError) {
      if (this.#failure === undefined) this.#stalled = next;
      return next;
    }
    if (!isLarge) this.#next = undefined;
    this.#current = next;
    if (current !== undefined) {
      this.#stored.push({
        path: current.path,
        sizeBytes: current.sizeBytes,
        lastSequence: this.#lastSequence,
        damaged: false,
      });
      // Everything in it is synced.
      await current.file.close().catch(() => undefined);
    }
    return next;
  }

  #prepareNext(): Promise<OpenSegment | SpoorError> {
    this.#next ??= this.#prepare().then((segment) => {
      if (segment instanceof SpoorError) this.#next = undefined;
      return segment;
    });
    return this.#next;
  }

  /** Makes a segment ready: a spare one by its new name, or one of zeros. Never rejects. */
  async #prepare(sizeBytes = this.#segmentBytes): Promise<OpenSegment | SpoorError> {
    if (this.#failure !== undefined) return this.#failure;
    const missing = this.#noSegment;
    if (missing !== undefined && this.#nowMs() < missing.untilMs) return missing.error;
    const id = this.#nextId++;
    const path = segmentPath(this.#dir, id);
    let spare = sizeBytes === this.#segmentBytes ? this.#spares.pop() : undefined;
    try {
      let file: StoreFile;
      if (spare === undefined) {
        file = await createSegment(this.#files, this.#dir, id, sizeBytes);
      } else {
        await this.#files.rename(spare, path);
        spare = path;
        // The name must be durable before anything is written under it.
        await this.#files.fsyncDir(this.#dir);
        file = await this.#files.open(path, 'update');
      }
      return { id, path, file, sizeBytes, end: 0 };
    } catch (cause) {
      if (spare !== undefined) this.#spares.push(spare);
      const error = walError(this.#dir, 'no new segment can be made', cause);
      // Nothing acknowledged is concerned: with more space or descriptors it can be done again.
      if (isTransientFileError(cause)) {
        this.#noSegment = { error, untilMs: this.#nowMs() + RETRY_AFTER_MS };
      } else {
        this.#failure = error;
      }
      return error;
    }
  }

  /** Keeps a segment for reuse, or removes it. */
  #discard(path: string, sizeBytes: number): void {
    if (sizeBytes === this.#segmentBytes && this.#spares.length < MAX_SPARE_SEGMENTS) {
      this.#spares.push(path);
    } else {
      this.#tidy(() => this.#files.unlink(path));
    }
  }

  /** Takes a damaged segment out of the log but keeps it, for somebody to look at. */
  #setAside(path: string): void {
    this.#tidy(() => this.#files.rename(path, `${path}.damaged`));
  }

  #tidy(action: () => Promise<void>): void {
    // Left undone it is done again after the next start: the records are below what is sealed.
    this.#tidying = this.#tidying.then(action).catch(() => undefined);
  }
}

function walError(dir: string, what: string, cause: unknown): SpoorError {
  const code = fileErrorCode(cause);
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SpoorError(
    'unavailable',
    `write-ahead log ${dir}: ${what}: ${why.startsWith(code) ? why : `${code}: ${why}`}`,
    { cause, retryAfterMs: RETRY_AFTER_MS },
  );
}
