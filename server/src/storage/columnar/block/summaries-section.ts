// SPDX-License-Identifier: Apache-2.0
import type { ChunkRef } from './block-format.ts';
import type { BlockSection, SectionRows } from './block-section.ts';
import { encodeCodes, encodePlanes } from './chunk-codec.ts';
import type { FrameWriter } from './frame-writer.ts';
import {
  durationAt,
  nanosAt,
  roughDurationAt,
  type TraceColumns,
  TraceColumnsBuilder,
  type WideColumn,
} from './trace-columns.ts';

/** Where a block has its trace summaries, and the least and greatest of them. Numbers of 64 bits are decimal. */
export interface SummariesRef {
  /** Planes: earliest start of each trace after the block's. */
  readonly start: ChunkRef;
  /** Planes: latest end minus earliest start, modulo 2^64. */
  readonly length: ChunkRef;
  /** Planes: the length minus the duration of the longest span, modulo 2^64; 0 where a root lasts as long as its trace. */
  readonly longest: ChunkRef;
  /** Codes. */
  readonly spans: ChunkRef;
  readonly errors: ChunkRef;
  /** Codes: 0 without root, else 1 + the code of its resource, of its name. */
  readonly rootResource: ChunkRef;
  readonly rootName: ChunkRef;
  readonly maxStart: string;
  /** Of latest end minus earliest start, which is negative where a trace ends before it starts. */
  readonly minDuration: string;
  readonly maxDuration: string;
  readonly maxSpans: number;
  readonly maxErrors: number;
}

/** What traces are ranked by, of each trace of the block. */
export class SummariesSection implements BlockSection<SummariesRef> {
  readonly #builder = new TraceColumnsBuilder();

  add(group: SectionRows): void {
    this.#builder.add(group);
  }

  finish(frames: FrameWriter): SummariesRef {
    const columns = this.#builder.columns();
    const { traces, start, length, longest } = columns;
    const what = 'trace summaries';
    const planes = ({ lo, hi }: WideColumn): ChunkRef =>
      frames.chunk(what, (sink) => encodePlanes(sink, lo, hi, traces));
    const codes = (values: Uint32Array): ChunkRef =>
      frames.chunk(what, (sink) => encodeCodes(sink, values, traces));
    const minStart = nanosAt(start, leastOf(start));
    const [minDuration, maxDuration] = durationBounds(columns);
    return {
      start: planes(differences(start, constant(minStart, traces))),
      length: planes(length),
      longest: planes(differences(length, longest)),
      spans: codes(columns.spans),
      errors: codes(columns.errors),
      rootResource: codes(columns.rootResource),
      rootName: codes(columns.rootName),
      maxStart: String(nanosAt(start, greatestOf(start))),
      minDuration: String(minDuration),
      maxDuration: String(maxDuration),
      maxSpans: greatest(columns.spans),
      maxErrors: greatest(columns.errors),
    };
  }
}

/** Least and greatest duration, ns. */
function durationBounds(columns: TraceColumns): [bigint, bigint] {
  let shortest = 0;
  let longest = 0;
  for (let t = 1; t < columns.traces; t++) {
    if (isShorter(columns, t, shortest)) shortest = t;
    if (isShorter(columns, longest, t)) longest = t;
  }
  return [durationAt(columns, shortest), durationAt(columns, longest)];
}

/** Whether trace `a` is shorter than trace `b`. */
function isShorter(columns: TraceColumns, a: number, b: number): boolean {
  const difference = roughDurationAt(columns, a) - roughDurationAt(columns, b);
  if (Math.abs(difference) > 4096) return difference < 0;
  return durationAt(columns, a) < durationAt(columns, b);
}

function leastOf({ lo, hi }: WideColumn): number {
  let least = 0;
  for (let i = 1; i < lo.length; i++) {
    if (hi[i]! < hi[least]! || (hi[i] === hi[least] && lo[i]! < lo[least]!)) least = i;
  }
  return least;
}

function greatestOf({ lo, hi }: WideColumn): number {
  let greatest = 0;
  for (let i = 1; i < lo.length; i++) {
    if (hi[i]! > hi[greatest]! || (hi[i] === hi[greatest] && lo[i]! > lo[greatest]!)) greatest = i;
  }
  return greatest;
}

function differences(a: WideColumn, b: WideColumn): WideColumn {
  const lo = new Uint32Array(a.lo.length);
  const hi = new Uint32Array(a.lo.length);
  for (let i = 0; i < lo.length; i++) {
    lo[i] = a.lo[i]! - b.lo[i]!;
    hi[i] = a.hi[i]! - b.hi[i]! - (a.lo[i]! < b.lo[i]! ? 1 : 0);
  }
  return { lo, hi };
}

function constant(value: bigint, count: number): WideColumn {
  const lo = Number(value & 0xffffffffn);
  return {
    lo: new Uint32Array(count).fill(lo),
    hi: new Uint32Array(count).fill(Number(value >> 32n)),
  };
}

function greatest(values: Uint32Array): number {
  let max = 0;
  for (let i = 0; i < values.length; i++) if (values[i]! > max) max = values[i]!;
  return max;
}
