// SPDX-License-Identifier: Apache-2.0
import { readFully, type StoreFile } from '#storage/columnar/files/store-files.ts';
import type { ExportRequest } from '#exporters/sending/transport.ts';
import {
  decodeHeader,
  decodeRecord,
  QUEUE_ALIGNMENT,
  QUEUE_HEADER_BYTES,
  STATE_OFFSET,
  TAKEN_STATE,
} from './queue-record.ts';

/** How much is looked through at once for the next record behind one that is not whole. */
const SEARCH_BYTES = 64 * 1024;

/** A request that was read, to be told when a server has taken it. */
export interface QueuedRequest {
  readonly request: ExportRequest;
  readonly segment: QueueSegment;
  readonly position: number;
  readonly sizeBytes: number;
}

/** One file of a queue: records, read from its beginning while others are written behind them. */
export class QueueSegment {
  readonly id: number;
  readonly path: string;
  readonly file: StoreFile;
  /** Up to here all is durable, and may be read. */
  end: number;
  /** Bytes on disk, with what a failed write may have left. */
  sizeBytes: number;
  /** Nothing is written to it any more. */
  isFull = false;
  /** Bytes that were no whole records. */
  skippedBytes = 0;
  #readAt = 0;
  /** Bytes of requests that were read and are not with a server yet. */
  #notTakenBytes = 0;

  /** @param sizeBytes of one that was found; 0 for a new one */
  constructor(id: number, path: string, file: StoreFile, sizeBytes: number) {
    this.id = id;
    this.path = path;
    this.file = file;
    this.end = sizeBytes;
    this.sizeBytes = sizeBytes;
  }

  /** Whether there may be a record that was not read yet. */
  get hasNext(): boolean {
    return this.#readAt < this.end;
  }

  /** Bytes that were not sent yet, of what was not read with all that turns out to be sent. */
  get waitingBytes(): number {
    return this.end - this.#readAt + this.#notTakenBytes;
  }

  /** Whether nothing of it is needed any more. */
  get isDone(): boolean {
    return this.isFull && this.waitingBytes === 0;
  }

  /**
   * The next request that no server has taken; undefined at the end of what may be read. One reader at a time.
   * @throws what the file call throws; it can be called again
   */
  async next(): Promise<QueuedRequest | undefined> {
    while (this.hasNext) {
      const position = this.#readAt;
      const header = decodeHeader(
        await readFully(this.file, position, QUEUE_HEADER_BYTES),
        this.id,
      );
      if (header === undefined || position + header.lengthBytes > this.end) {
        await this.#skip(position);
        continue;
      }
      if (header.isTaken) {
        this.#readAt += header.lengthBytes;
        continue;
      }
      const request = decodeRecord(await readFully(this.file, position, header.lengthBytes));
      if (request === undefined) {
        await this.#skip(position);
        continue;
      }
      this.#readAt += header.lengthBytes;
      this.#notTakenBytes += header.lengthBytes;
      return { request, segment: this, position, sizeBytes: header.lengthBytes };
    }
    return undefined;
  }

  /** A request is with a server, or never will be: it is not sent again, unless the power goes before the mark is on the disk. */
  async finish({ position, sizeBytes }: QueuedRequest): Promise<void> {
    try {
      await this.file.writev([TAKEN_STATE], position + STATE_OFFSET);
    } finally {
      this.#notTakenBytes -= sizeBytes;
    }
  }

  /** Goes on at the next place behind `position` that looks like a record, or at the end: the rest was never whole. */
  async #skip(position: number): Promise<void> {
    let from = position + QUEUE_ALIGNMENT;
    while (from < this.end) {
      const bytes = await readFully(this.file, from, Math.min(SEARCH_BYTES, this.end - from));
      for (let at = 0; at + QUEUE_HEADER_BYTES <= bytes.length; at += QUEUE_ALIGNMENT) {
        if (decodeHeader(bytes.subarray(at, at + QUEUE_HEADER_BYTES), this.id) === undefined)
          continue;
        this.#pass(position, from + at);
        return;
      }
      from += SEARCH_BYTES - QUEUE_HEADER_BYTES;
    }
    this.#pass(position, this.end);
  }

  #pass(from: number, to: number): void {
    this.skippedBytes += to - from;
    this.#readAt = to;
  }
}
