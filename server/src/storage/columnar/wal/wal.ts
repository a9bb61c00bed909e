// SPDX-License-Identifier: Apache-2.0
import { randomInt } from 'node:crypto';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { afterTimeout, type Later } from '#later.ts';
import { writeFully } from '../files/store-files.ts';
import type { StoreFiles } from '../files/store-files.ts';
import { alignRecord, encodeRecordHead, placeRecord } from './wal-record.ts';
import type { WalRecordInput } from './wal-record.ts';
import type { WalReplay } from './wal-replay.ts';
import { SEGMENT_RETRY_MS, SegmentSupply, walError } from './wal-segment-supply.ts';
import type { ClaimRoom, NoteSegments, OpenSegment } from './wal-segment-supply.ts';
import { SEGMENT_HEADER_BYTES, encodeSegmentHeader } from './wal-segment.ts';

/** Size of a segment: half a slab, about 3 s at 20,000 spans/s; filling a new one with zeros takes some 5 ms of the device. */
const DEFAULT_SEGMENT_BYTES = 8 << 20;

/** Bytes that may wait for the device; the same as all bodies in flight, so it is met only when the device hangs. */
const MAX_QUEUED_BYTES = 64 << 20;

/** Options of {@link Wal.open}. */
export interface WalOptions {
  readonly files: StoreFiles;
  /** Directory of the segments; made when missing. Its parent must exist. */
  readonly dir: string;
  /** What replaying this directory gave; the log goes on behind it, in a segment of its own. */
  readonly replay: WalReplay;
  /** Sequences go on above this one, too: what the manifest says is sealed. */
  readonly sealedUpto: number;
  /** And above this one, the last of a good shutdown: a number is never given twice, even where its record cannot be read. */
  readonly logEnd?: number;
  readonly segmentBytes?: number;
  /** Keeps room for a new segment; there is some unless told. */
  readonly claimRoom?: ClaimRoom;
  /** Where it is noted which segments there are; nowhere unless told. */
  readonly noteSegments?: NoteSegments;
  /** For tests that do not wait; otherwise a timer that does not keep the process alive. */
  readonly later?: Later;
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
  /** Time in which a group was under way, from its write to the end of its sync. */
  readonly commitSeconds: number;
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

/**
 * The write-ahead log of a data directory, for appending. One commit is on its way at a time; what is
 * appended meanwhile is the next group: one write and one fdatasync for all of it.
 *
 * Appending is refused for ever after a failed write or sync, because nobody knows then what is on disk, and
 * for a moment when a new segment cannot be made for want of space.
 */
export class Wal {
  readonly #dir: string;
  readonly #supply: SegmentSupply;
  /** Tells the segments of this opening from those of others that may have had the same id. */
  readonly #salt = randomInt(2 ** 32);
  #lastSequence: number;
  #stored: StoredSegment[];
  #current: OpenSegment | undefined;
  readonly #queue: PendingAppend[] = [];
  #queuedBytes = 0;
  #draining: Promise<void> | undefined;
  #failure: SpoorError | undefined;
  #stalled: SpoorError | undefined;
  #closed = false;
  #groups = 0;
  #records = 0;
  #commitMs = 0;
  #writtenBytes = 0;

  private constructor(options: WalOptions) {
    const { replay } = options;
    const ids = [...replay.segments, ...replay.unused].map(({ id }) => id);
    this.#dir = options.dir;
    this.#supply = new SegmentSupply({
      files: options.files,
      dir: options.dir,
      segmentBytes: alignRecord(options.segmentBytes ?? DEFAULT_SEGMENT_BYTES),
      firstId: Math.max(0, ...ids) + 1,
      later: options.later ?? afterTimeout,
      claimRoom: options.claimRoom ?? (() => Promise.resolve(() => Promise.resolve())),
      noteSegments: options.noteSegments ?? (() => Promise.resolve()),
    });
    this.#lastSequence = Math.max(replay.lastSequence, options.sealedUpto, options.logEnd ?? 0);
    this.#stored = [...replay.segments];
  }

  /**
   * Opens the log for appending, with a segment ready unless space is missing: then it is stalled until there is some.
   * @throws {SpoorError} unavailable
   */
  static async open(options: WalOptions): Promise<Wal> {
    const wal = new Wal(options);
    try {
      await wal.#supply.start();
    } catch (cause) {
      throw walError(options.dir, 'cannot be opened', cause);
    }
    for (const segment of options.replay.unused) wal.#letGo(segment);
    wal.release(options.sealedUpto);
    await wal.#supply.tidied();
    const segment = await wal.#supply.prepare();
    if (segment instanceof SpoorError) {
      if (wal.#supply.missing === undefined) throw segment;
      wal.#stalled = segment;
    }
    return wal;
  }

  /** Sequence of the last record that is durable, or 0. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** Why nothing can be appended any more until the log is opened anew; undefined while all is well. */
  get failed(): string | undefined {
    return (this.#failure ?? this.#supply.failure)?.message;
  }

  /** Why appends are refused: {@link failed}, or for want of space until there is some. Otherwise undefined. */
  get stalled(): string | undefined {
    const stalled = this.#supply.missing === undefined ? undefined : this.#stalled;
    return this.failed ?? stalled?.message;
  }

  figures(): WalFigures {
    const current = this.#current;
    return {
      segments: this.#stored.length + (current === undefined ? 0 : 1),
      sizeBytes: this.#stored.reduce((sum, s) => sum + s.sizeBytes, current?.sizeBytes ?? 0),
      groups: this.#groups,
      records: this.#records,
      writtenBytes: this.#writtenBytes,
      commitSeconds: this.#commitMs / 1000,
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
      else this.#letGo(segment);
    }
    this.#stored = kept;
  }

  #letGo({ path, sizeBytes, damaged }: Omit<StoredSegment, 'lastSequence'>): void {
    if (damaged) this.#supply.setAside(path);
    else this.#supply.discard(path, sizeBytes);
  }

  /** Waits for the appends that were called and closes the files. May be called more than once. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
    await this.#supply.close();
    const current = this.#current;
    this.#current = undefined;
    // Everything acknowledged is synced: a failing close loses nothing.
    await current?.file.close().catch(() => undefined);
  }

  /** Why an append is refused at once. */
  #refusal(sizeBytes: number): SpoorError | undefined {
    const failure = this.#failure ?? this.#supply.failure;
    if (failure !== undefined) return failure;
    if (this.#closed) {
      return new SpoorError('unavailable', `write-ahead log ${this.#dir}: it is closed`);
    }
    if (this.#queuedBytes > 0 && this.#queuedBytes + sizeBytes > MAX_QUEUED_BYTES) {
      return new SpoorError(
        'overloaded',
        `write-ahead log ${this.#dir}: ${this.#queuedBytes} bytes wait for the device, ${sizeBytes} more are over the limit of ${MAX_QUEUED_BYTES}`,
        { retryAfterMs: SEGMENT_RETRY_MS },
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
    const { id: segmentId, sizeBytes: segmentBytes } = segment;
    const salt = this.#salt;
    const views: Uint8Array[] = [];
    if (segment.end === 0) {
      const header = { id: segmentId, salt, firstSequence: groupFirst, sizeBytes: segmentBytes };
      views.push(encodeSegmentHeader(header));
    }
    let sequence = groupFirst;
    for (const { heads, batches } of group) {
      for (const [i, head] of heads.entries()) {
        placeRecord(head, batches[i]!, { segmentId, salt, sequence, groupFirst }, views);
        sequence++;
      }
    }
    const startMs = performance.now();
    await writeFully(segment.file, views, segment.end);
    await segment.file.fdatasync();
    this.#commitMs += performance.now() - startMs;

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
    if (segment.end > segment.sizeBytes / 2) void this.#supply.prepare();
  }

  /** The segment in use when it has room, or the next one. */
  async #segmentFor(sizeBytes: number): Promise<OpenSegment | SpoorError> {
    const current = this.#current;
    if (current !== undefined && current.end + sizeBytes <= current.sizeBytes) return current;
    const next = await this.#supply.take(SEGMENT_HEADER_BYTES + sizeBytes);
    if (next instanceof SpoorError) {
      this.#stalled = next;
      return next;
    }
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
}
