// SPDX-License-Identifier: Apache-2.0
import { grownBytes, grownWords } from '#model/column-arrays.ts';
import { SpanKind } from '#model/span.ts';
import { StatusByte } from '#model/span-columns.ts';
import { hashFour } from '#model/word-hash.ts';
import { latencyBucket } from './latency-bucket.ts';
import { unixMinute } from './minute.ts';
import type { SpanSource } from './span-source.ts';

/** Highest number of `SpanKind`. */
const MAX_KIND = SpanKind.consumer;

/** Spans from any sources beside each other, with what edges and rates are made from; a buffer to be used again. */
export class SpanRows {
  count = 0;
  /** Two words a span. */
  spanWords = new Uint32Array(0);
  parentWords = new Uint32Array(0);
  startLo = new Uint32Array(0);
  startHi = new Uint32Array(0);
  /** `SpanKind`; 0 for numbers without a meaning. */
  kind = new Uint8Array(0);
  isError = new Uint8Array(0);
  /** Numbers of the names of service and span; 0 for none. */
  service = new Uint32Array(0);
  name = new Uint32Array(0);
  /** Unix minute of the start. */
  minute = new Uint32Array(0);
  /** Of the duration; see `latencyBucket`. */
  bucket = new Uint16Array(0);
  /** Where each span is from: a source, and its row there. */
  source = new Uint32Array(0);
  row = new Uint32Array(0);
  readonly sources: SpanSource[] = [];
  /** Open addressing over spans, -1 where there is none; for {@link hasTwins}. */
  #slots = new Int32Array(64);

  /** Forgets all spans. */
  clear(): void {
    this.count = 0;
    this.sources.length = 0;
  }

  /** Appends spans of a source. Column by column: rows of a block are scattered over what it is made from. */
  add(source: SpanSource, rows: Uint32Array): void {
    const first = this.count;
    const count = rows.length;
    if (first + count > this.row.length) this.#grow(first + count);
    this.count = first + count;
    this.row.set(rows, first);
    this.source.fill(this.sources.push(source) - 1, first, this.count);
    gatherPairs(source.spanWords, rows, this.spanWords, first);
    gatherPairs(source.parentWords, rows, this.parentWords, first);
    gather(source.startLo, rows, this.startLo, first);
    gather(source.startHi, rows, this.startHi, first);
    this.#addMinutes(first);
    this.#addBuckets(source, rows, first);
    this.#addKinds(source, rows, first);
    source.nameRows(rows, this.service, this.name, first);
  }

  /** Whether two spans have the same id and start: they may be copies. */
  hasTwins(): boolean {
    const { count, spanWords, startLo, startHi } = this;
    let size = 64;
    while (size < count * 2) size *= 2;
    if (size > this.#slots.length) this.#slots = new Int32Array(size);
    // Only as much of it as these spans need: most traces are small.
    const slots = this.#slots.fill(-1, 0, size);
    for (let i = 0; i < count; i++) {
      const first = spanWords[i * 2]!;
      const second = spanWords[i * 2 + 1]!;
      // Many spans may have one id, each with a start of its own.
      let slot = hashFour(first, second, startLo[i]!, startHi[i]!) & (size - 1);
      for (let other = slots[slot]!; other >= 0; other = slots[slot]!) {
        if (
          spanWords[other * 2] === first &&
          spanWords[other * 2 + 1] === second &&
          startLo[other] === startLo[i] &&
          startHi[other] === startHi[i]
        ) {
          return true;
        }
        slot = (slot + 1) & (size - 1);
      }
      slots[slot] = i;
    }
    return false;
  }

  #addMinutes(first: number): void {
    const { startLo, startHi, minute, count } = this;
    for (let i = first; i < count; i++) minute[i] = unixMinute(startLo[i]!, startHi[i]!);
  }

  #addBuckets({ durationLo, durationHi }: SpanSource, rows: Uint32Array, first: number): void {
    const { bucket } = this;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      bucket[first + i] = latencyBucket(durationLo[row]!, durationHi[row]!);
    }
  }

  #addKinds({ kind: kinds, status }: SpanSource, rows: Uint32Array, first: number): void {
    const { kind, isError } = this;
    for (let i = 0; i < rows.length; i++) {
      const value = kinds[rows[i]!]!;
      kind[first + i] = value > MAX_KIND ? 0 : value;
      isError[first + i] = status[rows[i]!] === StatusByte.error ? 1 : 0;
    }
  }

  #grow(least: number): void {
    const size = Math.max(64, this.row.length * 2, least);
    this.spanWords = grownWords(this.spanWords, size * 2);
    this.parentWords = grownWords(this.parentWords, size * 2);
    this.startLo = grownWords(this.startLo, size);
    this.startHi = grownWords(this.startHi, size);
    this.service = grownWords(this.service, size);
    this.name = grownWords(this.name, size);
    this.minute = grownWords(this.minute, size);
    this.source = grownWords(this.source, size);
    this.row = grownWords(this.row, size);
    this.kind = grownBytes(this.kind, size);
    this.isError = grownBytes(this.isError, size);
    const bucket = new Uint16Array(size);
    bucket.set(this.bucket);
    this.bucket = bucket;
  }
}

function gather(from: Uint32Array, rows: Uint32Array, into: Uint32Array, first: number): void {
  for (let i = 0; i < rows.length; i++) into[first + i] = from[rows[i]!]!;
}

function gatherPairs(from: Uint32Array, rows: Uint32Array, into: Uint32Array, first: number): void {
  for (let i = 0, at = first * 2; i < rows.length; i++, at += 2) {
    into[at] = from[rows[i]! * 2]!;
    into[at + 1] = from[rows[i]! * 2 + 1]!;
  }
}
