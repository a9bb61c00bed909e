// SPDX-License-Identifier: Apache-2.0
import type { PlacedValues } from '@spoor/core/analysis/placed-values.ts';
import type { AttributeColumn, SpanColumns } from '@spoor/core/model/span-columns.ts';
import type { FrameWriter } from './frame-writer.ts';

/** The columns that sections are made from. Batches, groups of blocks and what a block is written from all have them. */
export type SectionColumns = Pick<
  SpanColumns,
  | 'traceId'
  | 'spanId'
  | 'parentSpanId'
  | 'startLo'
  | 'startHi'
  | 'durationLo'
  | 'durationHi'
  | 'kind'
  | 'status'
  | 'name'
  | 'resource'
  | 'names'
  | 'resources'
  | 'shape'
  | 'shapes'
  | 'keys'
> & { readonly columns: readonly Pick<AttributeColumn, 'level' | 'type' | 'key'>[] };

/** Some whole traces of a block, copies dropped. */
export interface TraceRuns {
  readonly columns: SectionColumns;
  /** Rows of `columns` in the order of the block: by trace id, start and span id. */
  readonly rows: Uint32Array;
  /** Index in `rows` of each trace's first row, and the number of rows at the end. */
  readonly traceStarts: Uint32Array;
}

/** Some whole traces of a block, with the attributes of their spans. */
export interface SectionRows extends TraceRuns {
  readonly values: PlacedValues;
}

/**
 * Something derived from the spans of a block and stored beside them. It sees every row once, after copies were dropped, so what
 * it counts is right whatever was sent twice. The symbols in all calls of one section are those of the block.
 */
export interface BlockSection<Footer> {
  /** Takes the next traces. */
  add(group: SectionRows): void;
  /** Writes what was made of them; returns what the footer says of it. */
  finish(frames: FrameWriter): Footer;
}
