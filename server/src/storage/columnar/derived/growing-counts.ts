// SPDX-License-Identifier: Apache-2.0
import type { MinuteTable } from '@spoor/core/analysis/minute-counts.ts';
import { sumTables } from '@spoor/core/analysis/sum-tables.ts';
import type { CountedEdges, CountedSpans } from '#storage/counted.ts';
import { DerivedCounts } from '#storage/derived-counts.ts';

/**
 * Counts that are asked for again and again while they grow. They are some tables, each more than twice as large as the next: what
 * came since the last question is a table of its own, or goes into the last ones, and the rest is as it was.
 */
export class GrowingCounts {
  /** What more is counted with. */
  readonly counts = new DerivedCounts();
  #edges: readonly CountedEdges[] = [];
  #spans: readonly CountedSpans[] = [];

  /** Makes tables of what was counted since the last call. */
  settle(): void {
    const { edges, spans } = this.counts.take();
    this.#edges = withTable(this.#edges, edges);
    this.#spans = withTable(this.#spans, spans);
  }

  /** Counts whose sum is what was counted until it was settled. */
  get edges(): readonly CountedEdges[] {
    return this.#edges;
  }

  /** As {@link edges}. */
  get spans(): readonly CountedSpans[] {
    return this.#spans;
  }
}

/** Counts of one owner, whose keys are the same in all of them. */
interface Counts {
  readonly keys: readonly unknown[];
  readonly table: MinuteTable;
}

function withTable<Some extends Counts>(known: readonly Some[], last: Some): readonly Some[] {
  if (last.table.count.length === 0) return known;
  const all = [...known];
  const tables = [last.table];
  let cells = last.table.count.length;
  for (let before = all.at(-1); before !== undefined; before = all.at(-1)) {
    if (before.table.count.length > cells * 2) break;
    all.pop();
    tables.push(before.table);
    cells += before.table.count.length;
  }
  const keys = Uint32Array.from(last.keys.keys());
  const table =
    tables.length === 1 ? last.table : sumTables(tables.map((one) => ({ table: one, keys })));
  return [...all, { ...last, table }];
}
