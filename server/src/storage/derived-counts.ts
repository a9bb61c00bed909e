// SPDX-License-Identifier: Apache-2.0
import { EdgeCounts } from '@spoor/core/analysis/edge-counts.ts';
import { NameCodes } from '@spoor/core/analysis/name-codes.ts';
import { placedValues, type PlacedValues } from '@spoor/core/analysis/placed-values.ts';
import { RedCounts } from '@spoor/core/analysis/red-counts.ts';
import { SpanRows } from '@spoor/core/analysis/span-rows.ts';
import { type AnalysedColumns, SpanSource } from '@spoor/core/analysis/span-source.ts';
import type { SpanColumns } from '@spoor/core/model/span-columns.ts';
import { orderTrace, type TracePart } from '@spoor/core/query/join-trace.ts';
import type { CountedEdges, CountedSpans } from './counted.ts';

/** Rows that are no copies of others. */
export type KeepRows = (columns: SpanColumns, rows: ArrayLike<number>) => void;

/** Rows of one trace in one source, ascending by start, with what they are counted from and no more. */
export interface JoinedPart {
  readonly columns: AnalysedColumns & PlacedValues;
  readonly rows: Uint32Array;
}

/** Counts calls between services and spans, trace by trace, from any sources. */
export class DerivedCounts {
  readonly #names = new NameCodes();
  readonly #edges = new EdgeCounts(this.#names);
  readonly #red = new RedCounts();
  readonly #rows = new SpanRows();
  readonly #sources = new Map<AnalysedColumns, SpanSource>();

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

  /**
   * As {@link addTrace} with all parts but the last known, less {@link takeBack} of the last: what its spans change beyond what
   * they count by themselves. Of the spans only what is counted is looked at, so it cannot tell copies.
   * @returns false, and nothing is counted, where two parts have a span with the same start and id
   */
  addJoined(parts: readonly JoinedPart[]): boolean {
    const rows = this.#rows;
    rows.clear();
    const starts = parts.map(({ columns, rows: list }) => {
      const start = rows.count;
      rows.add(
        this.#source(columns, () => columns),
        list,
      );
      return start;
    });
    const ends = [...starts.slice(1), rows.count];
    for (let a = 0; a < parts.length; a++) {
      for (let b = a + 1; b < parts.length; b++) {
        if (shareSpan(rows, [starts[a]!, ends[a]!], [starts[b]!, ends[b]!])) return false;
      }
    }
    const before = starts.at(-1)!;
    this.#edges.addTrace(rows, 0, before, -1);
    this.#edges.addTrace(rows, before, rows.count, -1);
    this.#edges.addTrace(rows, 0, rows.count);
    return true;
  }

  /**
   * Forgets how sources were read, which keeps them in memory; what was counted stays.
   * @param kept sources that more is counted of; all are forgotten without it
   */
  releaseSources(kept?: { has(columns: AnalysedColumns): boolean }): void {
    for (const columns of this.#sources.keys()) {
      if (kept?.has(columns) !== true) this.#sources.delete(columns);
    }
    this.#rows.clear();
  }

  /** What was counted since the last call, which is forgotten; names and keys keep their numbers from call to call. */
  take(): { edges: CountedEdges; spans: CountedSpans } {
    return {
      edges: { ...this.#edgeKeys(), table: this.#edges.counts.take() },
      spans: { ...this.#spanKeys(), table: this.#red.counts.take() },
    };
  }

  edges(): CountedEdges {
    return { ...this.#edgeKeys(), table: this.#edges.counts.table() };
  }

  spans(): CountedSpans {
    return { ...this.#spanKeys(), table: this.#red.counts.table() };
  }

  #edgeKeys(): Omit<CountedEdges, 'table'> {
    return { texts: this.#names.texts, keys: this.#edges.keys };
  }

  #spanKeys(): Omit<CountedSpans, 'table'> {
    const { texts } = this.#names;
    return { textOf: (number) => texts[number]!, keys: this.#red.keys };
  }

  #add(parts: readonly TracePart[], known: number, weight: number, keep?: KeepRows): void {
    const rows = this.#rows;
    rows.clear();
    let kept = parts;
    let before = this.#addRows(kept, known);
    if (rows.hasTwins()) {
      // They may be copies.
      kept = withoutCopies(parts);
      rows.clear();
      before = this.#addRows(kept, known);
    }
    if (before > 0) this.#edges.addTrace(rows, 0, before, -weight);
    this.#edges.addTrace(rows, 0, rows.count, weight);
    this.#red.add(rows, before, rows.count, weight);
    if (keep === undefined) return;
    for (const part of kept.slice(known)) keep(part.columns, part.rows);
  }

  /** @returns how many rows the first `known` parts have */
  #addRows(parts: readonly TracePart[], known: number): number {
    const rows = this.#rows;
    let before = 0;
    for (let p = 0; p < parts.length; p++) {
      const { columns, rows: list } = parts[p]!;
      if (list.length > 0) {
        const source = this.#source(columns, () => placedValues(columns));
        rows.add(source, list instanceof Uint32Array ? list : Uint32Array.from(list));
      }
      if (p < known) before = rows.count;
    }
    return before;
  }

  #source(columns: AnalysedColumns, valuesOf: () => PlacedValues): SpanSource {
    let source = this.#sources.get(columns);
    if (source === undefined) {
      source = new SpanSource(columns, valuesOf(), this.#names);
      this.#sources.set(columns, source);
    }
    return source;
  }
}

/** The parts of a trace with one of each of its spans; of copies it is that in the first part. */
function withoutCopies(parts: readonly TracePart[]): TracePart[] {
  const { count, part, row } = orderTrace(parts);
  const lists = parts.map((): number[] => []);
  for (let i = 0; i < count; i++) lists[part[i]!]!.push(row[i]!);
  return parts.map(({ columns }, p) => ({ columns, rows: lists[p]! }));
}

/** Whether spans in two ranges, each ascending by start, have the same start and id. */
function shareSpan(
  { startHi, startLo, spanWords }: SpanRows,
  [start, end]: readonly [number, number],
  [otherStart, otherEnd]: readonly [number, number],
): boolean {
  let from = otherStart;
  for (let i = start; i < end; i++) {
    const order = (other: number): number =>
      startHi[other]! - startHi[i]! || startLo[other]! - startLo[i]!;
    while (from < otherEnd && order(from) < 0) from++;
    for (let other = from; other < otherEnd && order(other) === 0; other++) {
      if (
        spanWords[other * 2] === spanWords[i * 2] &&
        spanWords[other * 2 + 1] === spanWords[i * 2 + 1]
      ) {
        return true;
      }
    }
  }
  return false;
}
