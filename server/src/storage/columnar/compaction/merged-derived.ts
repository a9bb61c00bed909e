// SPDX-License-Identifier: Apache-2.0
import type { CountedEdges, CountedSpans } from '#storage/counted.ts';
import type { CountsRef, EdgesRef } from '../block/block-format.ts';
import type { BlockReader } from '../block/block-reader.ts';
import type { BlockSection, SectionColumns, SectionRows } from '../block/block-section.ts';
import { readEdges, readSpanCounts, writeEdges, writeSpanCounts } from '../block/counts-codec.ts';
import { DerivedSection } from '../block/derived-section.ts';
import type { FrameWriter } from '../block/frame-writer.ts';
import { sumEdges, sumSpans } from './summed-counts.ts';

/** Rows of a group, trace after trace. */
class RowRuns {
  readonly #rows: number[] = [];
  readonly #starts = [0];

  /** Adds the rows of a trace. */
  add(rows: readonly number[]): void {
    for (const row of rows) this.#rows.push(row);
    this.#starts.push(this.#rows.length);
  }

  /** As sections take them. */
  view(): Pick<SectionRows, 'rows' | 'traceStarts'> {
    return { rows: Uint32Array.from(this.#rows), traceStarts: Uint32Array.from(this.#starts) };
  }
}

/** Traces of a group that several of the merged blocks have. */
export class SharedTraces {
  /** Each as it is now. */
  readonly whole = new RowRuns();
  /** And as each of the blocks had it: copies stand for each other. */
  readonly parts = new RowRuns();
}

/**
 * What {@link DerivedSection} makes of all rows of merged blocks, made from what the blocks know: their counts are summed, and
 * only traces that several of them have are counted again, as they were in each and as they are now.
 */
export class MergedDerived implements BlockSection<{ edges: EdgesRef; red: CountsRef }> {
  readonly #readers: readonly BlockReader[];
  readonly #takeShared: () => SharedTraces;
  readonly #changes = new DerivedSection();
  #columns: SectionColumns | undefined;

  /**
   * @param readers those that are merged, {@link canSum} is true of them and all of their rows are kept
   * @param takeShared asked once for each group
   */
  constructor(readers: readonly BlockReader[], takeShared: () => SharedTraces) {
    this.#readers = readers;
    this.#takeShared = takeShared;
  }

  /** Whether blocks have counts: those of version 1 do not. */
  static canSum(readers: readonly BlockReader[]): boolean {
    return readers.every(({ footer: { edges, red } }) => edges !== undefined && red !== undefined);
  }

  add(group: SectionRows): void {
    this.#columns = group.columns;
    const { whole, parts } = this.#takeShared();
    this.#changes.add({ ...group, ...whole.view() });
    this.#changes.add({ ...group, ...parts.view() }, -1);
  }

  finish(frames: FrameWriter): { edges: EdgesRef; red: CountsRef } {
    return {
      edges: writeEdges(frames, sumEdges(this.#allEdges())),
      // A block has at least one span.
      red: writeSpanCounts(frames, sumSpans(this.#allSpans()), this.#columns!),
    };
  }

  *#allEdges(): Generator<CountedEdges> {
    for (const reader of this.#readers) yield readEdges(reader, reader.footer.edges!);
    yield this.#changes.edges();
  }

  *#allSpans(): Generator<CountedSpans> {
    for (const reader of this.#readers) yield readSpanCounts(reader, reader.footer.red!);
    yield this.#changes.spans();
  }
}
