// SPDX-License-Identifier: Apache-2.0
import type { EdgeKey } from '@spoor/core/analysis/edge-counts.ts';
import { EDGE_KIND_NAMES } from '@spoor/core/analysis/edge-kind.ts';
import { MinuteCounts, type MinuteTable } from '@spoor/core/analysis/minute-counts.ts';
import type { RedKey } from '@spoor/core/analysis/red-counts.ts';
import { compareCodePoints } from '@spoor/core/query/code-point-order.ts';
import type { Dependency, LatencyCounts, MinuteRange } from './tracestore.ts';

/** Counted calls. */
export interface CountedEdges {
  /** What the numbers in `keys` stand for. */
  readonly texts: readonly string[];
  readonly keys: readonly EdgeKey[];
  readonly table: MinuteTable;
}

/** Counted spans. */
export interface CountedSpans {
  /** What the numbers in `keys` stand for. */
  readonly texts: readonly string[];
  readonly keys: readonly RedKey[];
  readonly table: MinuteTable;
}

/** Sums calls up over any number of tables; what one counts another may take back. */
export class DependencySum {
  readonly #range: MinuteRange;
  readonly #counts = new MinuteCounts();
  /** Numbers of edges are even; the one after an edge's counts its errors. */
  readonly #numbers = new Map<string, number>();
  readonly #edges: Pick<Dependency, 'caller' | 'callee' | 'kind' | 'isInferred'>[] = [];

  constructor(range: MinuteRange) {
    this.#range = range;
  }

  add({ texts, keys, table }: CountedEdges): void {
    const targets = keys.map((key) => this.#target(texts, key));
    forEachIn(this.#range, table, (key, _minute, bucket, count) => {
      this.#counts.add(targets[key]!, 0, bucket, count);
    });
  }

  dependencies(): Dependency[] {
    const sums = this.#edges.map((edge) => ({
      ...edge,
      calls: 0,
      errors: 0,
      latency: new Buckets(),
    }));
    forEachIn(ALL_MINUTES, this.#counts.table(), (key, _minute, bucket, count) => {
      const sum = sums[key >> 1]!;
      sum.calls += count;
      if ((key & 1) === 1) sum.errors += count;
      sum.latency.add(bucket, count);
    });
    return sums
      .filter(({ calls }) => calls > 0)
      .map(({ latency, ...sum }) => ({ ...sum, latency: latency.counts() }))
      .sort(
        (a, b) =>
          compareCodePoints(a.caller, b.caller) ||
          compareCodePoints(a.callee, b.callee) ||
          compareCodePoints(a.kind, b.kind) ||
          Number(a.isInferred) - Number(b.isInferred),
      );
  }

  #target(texts: readonly string[], key: EdgeKey): number {
    const edge = {
      caller: texts[key.caller]!,
      callee: texts[key.callee]!,
      kind: EDGE_KIND_NAMES[key.kind],
      isInferred: key.isInferred,
    };
    const name = JSON.stringify(edge);
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = (this.#edges.push(edge) - 1) * 2;
      this.#numbers.set(name, number);
    }
    return number + (key.isError ? 1 : 0);
  }
}

const ALL_MINUTES: MinuteRange = { fromMinute: 0, toMinute: Infinity };

/** Latency counts while they are summed up. */
class Buckets {
  readonly #counts = new Map<number, number>();

  add(bucket: number, count: number): void {
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count);
  }

  counts(): LatencyCounts {
    return [...this.#counts].sort(([a], [b]) => a - b);
  }
}

function forEachIn(
  { fromMinute, toMinute }: MinuteRange,
  { minutes, key, minute, start, bucket, count }: MinuteTable,
  visit: (key: number, minute: number, bucket: number, count: number) => void,
): void {
  for (let s = 0; s < key.length; s++) {
    const at = minutes[minute[s]!]!;
    if (at < fromMinute || at >= toMinute) continue;
    for (let i = start[s]!; i < start[s + 1]!; i++) visit(key[s]!, at, bucket[i]!, count[i]!);
  }
}
