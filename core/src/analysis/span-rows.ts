// SPDX-License-Identifier: Apache-2.0
import { latencyBucket } from './latency-bucket.ts';
import { unixMinute } from './minute.ts';
import type { SpanSource } from './span-source.ts';

/** Value of the status column for the code ERROR. */
const ERROR_STATUS = 3;

/** Highest number of `SpanKind`. */
const MAX_KIND = 5;

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
  /** Number of the service's name; 0 for none. */
  service = new Uint32Array(0);
  /** Unix minute of the start. */
  minute = new Uint32Array(0);
  /** Of the duration; see `latencyBucket`. */
  bucket = new Uint16Array(0);
  /** Where each span is from: row of `sources`. */
  row = new Uint32Array(0);
  readonly sources: SpanSource[] = [];

  /** Forgets all spans. */
  clear(): void {
    this.count = 0;
    this.sources.length = 0;
  }

  /** Appends a span. */
  add(source: SpanSource, row: number): void {
    const i = this.count++;
    if (i >= this.row.length) this.#grow();
    const id = row * 2;
    this.spanWords[i * 2] = source.spanWords[id]!;
    this.spanWords[i * 2 + 1] = source.spanWords[id + 1]!;
    this.parentWords[i * 2] = source.parentWords[id]!;
    this.parentWords[i * 2 + 1] = source.parentWords[id + 1]!;
    const startLo = source.startLo[row]!;
    const startHi = source.startHi[row]!;
    this.startLo[i] = startLo;
    this.startHi[i] = startHi;
    this.minute[i] = unixMinute(startLo, startHi);
    this.bucket[i] = latencyBucket(source.durationLo[row]!, source.durationHi[row]!);
    const kind = source.kind[row]!;
    this.kind[i] = kind > MAX_KIND ? 0 : kind;
    this.isError[i] = source.status[row] === ERROR_STATUS ? 1 : 0;
    this.service[i] = source.service(row);
    this.row[i] = row;
    this.sources[i] = source;
  }

  #grow(): void {
    const size = Math.max(64, this.row.length * 2);
    this.spanWords = grown(this.spanWords, size * 2);
    this.parentWords = grown(this.parentWords, size * 2);
    this.startLo = grown(this.startLo, size);
    this.startHi = grown(this.startHi, size);
    this.service = grown(this.service, size);
    this.minute = grown(this.minute, size);
    this.row = grown(this.row, size);
    this.kind = grownOctets(this.kind, size);
    this.isError = grownOctets(this.isError, size);
    const bucket = new Uint16Array(size);
    bucket.set(this.bucket);
    this.bucket = bucket;
  }
}

function grown(list: Uint32Array, size: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(size);
  larger.set(list);
  return larger;
}

function grownOctets(list: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(size);
  larger.set(list);
  return larger;
}
