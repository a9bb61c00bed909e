// SPDX-License-Identifier: Apache-2.0
import { EdgeCounts } from '@spoor/core/analysis/edge-counts.ts';
import { NameCodes } from '@spoor/core/analysis/name-codes.ts';
import { placedValues } from '@spoor/core/analysis/placed-values.ts';
import { RedCounts } from '@spoor/core/analysis/red-counts.ts';
import { SpanRows } from '@spoor/core/analysis/span-rows.ts';
import { SpanSource } from '@spoor/core/analysis/span-source.ts';
import type { SpanColumns } from '@spoor/core/model/span-columns.ts';
import { orderTrace, type TracePart } from '@spoor/core/query/join-trace.ts';
import type { CountedEdges, CountedSpans } from './counted.ts';

/** Rows that are no copies of others. */
export type KeepRows = (columns: SpanColumns, rows: readonly number[]) => void;

/** Counts calls between services and spans, trace by trace, from any sources. */
export class DerivedCounts {
  readonly #names = new NameCodes();
  readonly #edges = new EdgeCounts(this.#names);
  readonly #red = new RedCounts();
  readonly #rows = new SpanRows();
  readonly #sources = new Map<SpanColumns, SpanSource>();

  /**
   * Counts a trace, copies once. Where the first `known` parts were counted before, it counts what the others change.
   * @param parts of one trace
   * @param keep told which rows of the other parts it counted as spans
   */
  addTrace(parts: readonly TracePart[], known = 0, keep?: KeepRows): void {
    this.#add(parts, known, 1, keep);
  }

  /** Takes back what {@link addTrace} of the parts counted. */
  takeBack(parts: readonly TracePart[]): void {
    this.#add(parts, 0, -1);
  }

  /** Forgets how sources were read, which keeps them in memory; what was counted stays. */
  releaseSources(): void {
    this.#sources.clear();
    this.#rows.clear();
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

  #add(parts: readonly TracePart[], known: number, weight: number, keep?: KeepRows): void {
    // Of copies the one in the first part is kept.
    const { count, part, row } = orderTrace(parts);
    const lists = parts.map((): number[] => []);
    for (let i = 0; i < count; i++) lists[part[i]!]!.push(row[i]!);
    const rows = this.#rows;
    rows.clear();
    const add = (list: readonly number[], p: number): void => {
      if (list.length > 0) rows.add(this.#source(parts[p]!.columns), Uint32Array.from(list));
    };
    lists.slice(0, known).forEach(add);
    const before = rows.count;
    if (before > 0) this.#edges.addTrace(rows, 0, before, -weight);
    lists.slice(known).forEach((list, p) => {
      add(list, known + p);
      keep?.(parts[known + p]!.columns, list);
    });
    this.#edges.addTrace(rows, 0, rows.count, weight);
    this.#red.add(rows, before, rows.count, weight);
  }

  #source(columns: SpanColumns): SpanSource {
    let source = this.#sources.get(columns);
    if (source === undefined) {
      source = new SpanSource(columns, placedValues(columns), this.#names);
      this.#sources.set(columns, source);
    }
    return source;
  }
}
