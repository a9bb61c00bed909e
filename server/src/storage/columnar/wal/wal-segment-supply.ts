// SPDX-License-Identifier: Apache-2.0
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import type { Later } from '#later.ts';
import type { ManifestEdit } from '../manifest/manifest-edit.ts';
import type { ReleaseRoom } from '../files/disk-space.ts';
import { fileErrorCode, isTransientFileError, makeDurableDir } from '../files/store-files.ts';
import type { StoreFile, StoreFiles } from '../files/store-files.ts';
import {
  createSegment,
  DAMAGED,
  removeUnfinishedSegments,
  segmentId,
  segmentPath,
} from './wal-segment.ts';

/** Used-up segments kept for reuse: what sealing one slab gives back. */
const MAX_SPARE_SEGMENTS = 2;

/** They are kept while segments are asked for at least so often: a log at rest is two segments, not four. */
export const SPARE_MS = 30_000;

/** After this time it is tried again to make a segment, when space or descriptors were missing. */
export const SEGMENT_RETRY_MS = 1000;

/** A segment to be written. */
export interface OpenSegment {
  readonly id: number;
  readonly path: string;
  readonly file: StoreFile;
  readonly sizeBytes: number;
  /** End of what was written; 0 before the header is. */
  end: number;
}

/** Arguments of a {@link SegmentSupply}. */
export interface SegmentSupplyOptions {
  readonly files: StoreFiles;
  readonly dir: string;
  readonly segmentBytes: number;
  /** Above that of every segment in the directory. */
  readonly firstId: number;
  readonly later: Later;
  /** Keeps room for a new file of this size until the function that it gives is called; undefined: there is none. */
  readonly claimRoom: ClaimRoom;
  readonly noteSegments: NoteSegments;
}

/** See `DiskSpace.claim`. */
export type ClaimRoom = (bytes: number) => Promise<ReleaseRoom | undefined>;

/** Makes durable, elsewhere, which segments must be there: so that one that is lost is missed. */
export type NoteSegments = (
  change: Pick<ManifestEdit, 'addSegments' | 'removeSegments'>,
) => Promise<void>;

/**
 * Where the write-ahead log gets its segments from, and gives used-up ones to: one is kept ready, made from
 * a spare file or of zeros while the one before is filled.
 */
export class SegmentSupply {
  readonly #files: StoreFiles;
  readonly #dir: string;
  readonly #segmentBytes: number;
  readonly #later: Later;
  readonly #claimRoom: ClaimRoom;
  readonly #note: NoteSegments;
  #nextId: number;
  /** Paths of segments of the usual size that hold nothing worth keeping. */
  readonly #spares: string[] = [];
  /** Whether segments were asked for in the last {@link SPARE_MS}; so it is at first. */
  #keepsSpares = true;
  #stopWaiting: (() => void) | undefined;
  /** Ready or on its way; never rejects, and is forgotten when it fails. */
  #ready: Promise<OpenSegment | SpoorError> | undefined;
  /** Why none can be made for the moment; it is tried again later. */
  #missing: SpoorError | undefined;
  #cancelRetry: (() => void) | undefined;
  #failure: SpoorError | undefined;
  /** Renaming and removing of what is no longer needed; never rejects. */
  #tidying: Promise<void> = Promise.resolve();

  constructor(options: SegmentSupplyOptions) {
    this.#files = options.files;
    this.#dir = options.dir;
    this.#segmentBytes = options.segmentBytes;
    this.#nextId = options.firstId;
    this.#later = options.later;
    this.#claimRoom = options.claimRoom;
    this.#note = options.noteSegments;
  }

  /** Why no more segments will be made; undefined while all is well. */
  get failure(): SpoorError | undefined {
    return this.#failure;
  }

  /** Why no segment can be made for the moment; it goes away by itself. */
  get missing(): SpoorError | undefined {
    return this.#missing;
  }

  /** Makes the directory, if need be, and gets it in order. */
  async start(): Promise<void> {
    await makeDurableDir(this.#files, this.#dir);
    await removeUnfinishedSegments(this.#files, this.#dir);
  }

  /** Begins to make a segment ready, if there is none. Never rejects. */
  prepare(): Promise<OpenSegment | SpoorError> {
    this.#ready ??= this.#make(this.#segmentBytes).then((segment) => {
      if (segment instanceof SpoorError) this.#ready = undefined;
      return segment;
    });
    return this.#ready;
  }

  /** Hands out a segment of at least `sizeBytes`. Never rejects. */
  async take(sizeBytes: number): Promise<OpenSegment | SpoorError> {
    this.#keepSpares();
    if (sizeBytes > this.#segmentBytes) return this.#takeLarge(sizeBytes);
    const segment = await this.prepare();
    this.#ready = undefined;
    return segment;
  }

  /** A segment of unusual size. The one that is ready gets a new id afterwards: ids ascend as sequences do. */
  async #takeLarge(sizeBytes: number): Promise<OpenSegment | SpoorError> {
    const ready = await this.#ready;
    this.#ready = undefined;
    const large = this.#make(sizeBytes);
    if (ready !== undefined && !(ready instanceof SpoorError)) {
      this.#spares.push(ready.path);
      await ready.file.close().catch(() => undefined);
    }
    return large;
  }

  /** Keeps a segment for reuse, or removes it in the background. */
  discard(path: string, sizeBytes: number): void {
    const isWanted = this.#keepsSpares && this.#spares.length < MAX_SPARE_SEGMENTS;
    if (sizeBytes === this.#segmentBytes && isWanted) this.#spares.push(path);
    else this.#remove(path);
  }

  #remove(path: string): void {
    this.#tidy(async () => {
      await this.#note({ removeSegments: [segmentId(path)] });
      await this.#files.unlink(path);
    });
  }

  /** A segment is asked for, so that others will be. */
  #keepSpares(): void {
    this.#keepsSpares = true;
    this.#stopWaiting?.();
    this.#stopWaiting = this.#later(() => {
      this.#stopWaiting = undefined;
      this.#keepsSpares = false;
      for (const path of this.#spares.splice(0)) this.#remove(path);
    }, SPARE_MS);
  }

  /** Takes a damaged segment out of the log in the background, but keeps it for somebody to look at. */
  setAside(path: string): void {
    this.#tidy(async () => {
      await this.#note({ removeSegments: [segmentId(path)] });
      await this.#files.rename(path, path + DAMAGED);
    });
  }

  /** Resolves when what was to be done in the background is done. */
  tidied(): Promise<void> {
    return this.#tidying;
  }

  async close(): Promise<void> {
    const segment = await this.#ready;
    this.#cancelRetry?.();
    this.#stopWaiting?.();
    this.#ready = undefined;
    await this.#tidying;
    // Nothing was written to it.
    if (segment === undefined || segment instanceof SpoorError) return;
    await segment.file.close().catch(() => undefined);
  }

  async #make(sizeBytes: number): Promise<OpenSegment | SpoorError> {
    if (this.#failure !== undefined) return this.#failure;
    if (this.#cancelRetry !== undefined && this.#missing !== undefined) return this.#missing;
    const id = this.#nextId++;
    const path = segmentPath(this.#dir, id);
    const spare = sizeBytes === this.#segmentBytes ? this.#spares.pop() : undefined;
    /** What is to be used again when this fails. */
    let unused = spare;
    let file: StoreFile | undefined;
    try {
      if (spare === undefined) {
        const release = await this.#claimRoom(sizeBytes);
        if (release === undefined) throw outOfSpace(sizeBytes);
        file = await createSegment(this.#files, this.#dir, id, sizeBytes).finally(release);
      } else {
        // It is not missed under its old name from before it has none, and under the new one only once it has it.
        await this.#note({ removeSegments: [segmentId(spare)] });
        await this.#files.rename(spare, path);
        unused = path;
        // The name must be durable before anything is written under it.
        await this.#files.fsyncDir(this.#dir);
        file = await this.#files.open(path, 'update');
      }
      unused = path;
      await this.#note({ addSegments: [id] });
      this.#missing = undefined;
      return { id, path, file, sizeBytes, end: 0 };
    } catch (cause) {
      await file?.close().catch(() => undefined);
      if (unused !== undefined) this.discard(unused, sizeBytes);
      const error = walError(this.#dir, 'no new segment can be made', cause);
      // Nothing acknowledged is concerned: with more space or descriptors it can be done again.
      if (isTransientFileError(cause)) {
        this.#missing = error;
        this.#cancelRetry ??= this.#later(() => this.#retry(), SEGMENT_RETRY_MS);
      } else {
        this.#failure = error;
      }
      return error;
    }
  }

  #retry(): void {
    this.#cancelRetry = undefined;
    void this.prepare();
  }

  #tidy(action: () => Promise<void>): void {
    // Left undone it is done again after the next start: the records are below what is sealed.
    this.#tidying = this.#tidying.then(action).catch(() => undefined);
  }
}

/** As if the disk were full: what is kept free on it is not for new spans. */
function outOfSpace(sizeBytes: number): Error {
  const message = `${sizeBytes} bytes would leave too little space on the disk`;
  return Object.assign(new Error(message), { code: 'ENOSPC' });
}

/** The error for a failed file call of the log. */
export function walError(dir: string, what: string, cause: unknown): SpoorError {
  const code = fileErrorCode(cause);
  const why = messageOf(cause);
  return new SpoorError(
    'unavailable',
    `write-ahead log ${dir}: ${what}: ${why.startsWith(code) ? why : `${code}: ${why}`}`,
    { cause, retryAfterMs: SEGMENT_RETRY_MS },
  );
}
