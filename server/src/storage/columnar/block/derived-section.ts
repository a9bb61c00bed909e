// SPDX-License-Identifier: Apache-2.0
import { EdgeCounts } from '@spoor/core/analysis/edge-counts.ts';
import { NameCodes } from '@spoor/core/analysis/name-codes.ts';
import { RedCounts } from '@spoor/core/analysis/red-counts.ts';
import { SpanRows } from '@spoor/core/analysis/span-rows.ts';
import { SpanSource } from '@spoor/core/analysis/span-source.ts';
import type { CountedEdges, CountedSpans } from '#storage/counted.ts';
import type { CountsRef, EdgesRef } from './block-format.ts';
import type { BlockSection, SectionColumns, SectionRows } from './block-section.ts';
import type { FrameWriter } from './frame-writer.ts';
import { writeEdges, writeSpanCounts } from './counts-codec.ts';

/**
 * Calls between services in the traces of a block, each taken as if the block had all of its spans, and the block's spans by
 * service, operation, kind and status; both by minute and latency. One section, since both are made from the same few columns.
 */
export class DerivedSection implements BlockSection<{ edges: EdgesRef; red: CountsRef }> {
  readonly #names = new NameCodes();
  readonly #edges = new EdgeCounts(this.#names);
  readonly #red = new RedCounts();
  readonly #rows = new SpanRows();
  #columns: SectionColumns | undefined;
  #source: SpanSource | undefined;

  /** @param weight 1, or -1 to take what was counted back */
  add({ columns, values, rows: list, traceStarts }: SectionRows, weight = 1): void {
    if (this.#source === undefined || columns !== this.#columns) {
      this.#source = new SpanSource(columns, values, this.#names);
      this.#columns = columns;
    }
    const source = this.#source;
    const rows = this.#rows;
    rows.clear();
    rows.add(source, list);
    this.#red.add(rows, 0, rows.count, weight);
    for (let trace = 0; trace + 1 < traceStarts.length; trace++) {
      this.#edges.addTrace(rows, traceStarts[trace]!, traceStarts[trace + 1]!, weight);
    }
  }

  edges(): CountedEdges {
    return { texts: this.#names.texts, keys: this.#edges.keys, table: this.#edges.counts.table() };
  }

  spans(): CountedSpans {
    const { texts } = this.#names;
    return {
      textOf: (number) => texts[number]!,
      keys: this.#red.keys,
      table: this.#red.counts.table(),
    };
  }

  finish(frames: FrameWriter): { edges: EdgesRef; red: CountsRef } {
    // A block has at least one span.
    return {
      edges: writeEdges(frames, this.edges()),
      red: writeSpanCounts(frames, this.spans(), this.#columns!),
    };
  }
}
