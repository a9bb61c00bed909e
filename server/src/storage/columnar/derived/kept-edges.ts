// SPDX-License-Identifier: Apache-2.0
import type { CountedEdges } from '#storage/counted.ts';
import { DependencySum, type EdgeTotals } from '#storage/dependency-sum.ts';
import type { DependencyQuery, MinuteRange } from '#storage/tracestore.ts';

/** Counts that never change. */
export interface EdgePiece {
  /** What no other piece is called. */
  readonly name: unknown;
  /** What is counted is in these minutes. */
  readonly minutes: MinuteRange;
  readonly edges: () => CountedEdges;
}

/** A sum of more counts than this is not kept: 1.5 MB. That of some hundred services has a fifth. */
const MAX_KEPT_COUNTS = 1 << 17;

/** What an edge takes beside its counts, in counts: some 768 bytes. */
const EDGE_COUNTS = 64;

/**
 * Sums calls up over pieces, and keeps the sum of those that are wholly in a question's range: the next one most often asks for
 * the same of them, and some that came since.
 */
export class KeptEdges {
  #names: ReadonlySet<unknown> = new Set();
  #totals: readonly EdgeTotals[] = [];

  /** The calls of all pieces in a range. @param range whose `noInferred` is always the same */
  sum(
    pieces: readonly EdgePiece[],
    range: DependencyQuery,
    checkCancelled: () => void,
  ): DependencySum {
    const sum = new DependencySum(range);
    const isInside = ({ minutes }: EdgePiece): boolean =>
      minutes.fromMinute >= range.fromMinute && minutes.toMinute <= range.toMinute;
    const inside = pieces.filter(isInside);
    const names = new Set(inside.map(({ name }) => name));
    const known = this.#names.isSubsetOf(names) ? this.#names : NO_NAMES;
    if (known.size > 0) for (const totals of this.#totals) sum.addTotals(totals);
    for (const { edges } of inside.filter(({ name }) => !known.has(name))) {
      checkCancelled();
      sum.add(edges());
    }
    if (known.size < names.size) this.#keep(names, sum);
    for (const { edges } of pieces.filter((piece) => !isInside(piece))) {
      checkCancelled();
      sum.add(edges());
    }
    return sum;
  }

  #keep(names: ReadonlySet<unknown>, sum: DependencySum): void {
    // Not made where it would be too much anyway.
    const totals = sum.edges * EDGE_COUNTS <= MAX_KEPT_COUNTS ? sum.totals() : undefined;
    const counts = totals?.reduce(
      (all, { latency }) => all + latency.bucket.length + EDGE_COUNTS,
      0,
    );
    const isKept = counts !== undefined && counts <= MAX_KEPT_COUNTS;
    this.#names = isKept ? names : NO_NAMES;
    this.#totals = isKept ? totals! : [];
  }
}

const NO_NAMES: ReadonlySet<unknown> = new Set();
