// SPDX-License-Identifier: Apache-2.0
import { traceIdBytes, type TraceId } from '@spoor/core/model/ids.ts';
import { compilePredicate, evaluate } from '@spoor/core/query/predicate.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { compileGroupChoice, isNamed } from '../search/group-choice.ts';

/** Some spans of a tenant: those that meet all of this. */
export interface SpanSelection {
  readonly where: SpanPredicate;
  /** Traces that they are in; any when undefined. */
  readonly traceIds?: readonly TraceId[] | undefined;
  /** Start, `[min, max)`, Unix epoch ns; any when undefined. */
  readonly startMinUnixNano?: bigint | undefined;
  readonly startMaxUnixNano?: bigint | undefined;
}

/** What is left of a block without the spans of a selection. */
export interface Remainder {
  /** Rows that are in the selection. */
  readonly dropped: number;
  /** Per group 1 for each row that is kept; undefined where all are. */
  readonly kept: readonly (Uint8Array | undefined)[];
}

/** Looks for the spans of a selection in a block. */
export function remainderOf(reader: BlockReader, selection: SpanSelection): Remainder {
  const compiled = compilePredicate(selection.where);
  const { startMinUnixNano = 0n, startMaxUnixNano = 2n ** 64n, traceIds } = selection;
  const window =
    selection.startMinUnixNano === undefined && selection.startMaxUnixNano === undefined
      ? undefined
      : { startMinUnixNano, startMaxUnixNano };
  const ids = traceIds?.map((id) => traceIdBytes(id));
  const choice = compileGroupChoice(selection.where)(reader);
  let dropped = 0;
  const kept = reader.footer.groups.map(({ rows }, g): Uint8Array | undefined => {
    if (!isNamed(choice, g)) return undefined;
    const group = reader.group(g);
    let isWanted: Uint8Array | undefined;
    if (ids !== undefined) {
      isWanted = new Uint8Array(rows);
      let found = false;
      for (const id of ids) {
        const trace = group.findTrace(id);
        if (trace < 0) continue;
        found = true;
        isWanted.fill(1, group.traceStarts[trace], group.traceStarts[trace + 1]);
      }
      if (!found) return undefined;
    }
    const mask = new Uint8Array(rows).fill(1);
    let count = 0;
    for (const row of evaluate(compiled, group, window)) {
      if (isWanted !== undefined && isWanted[row] === 0) continue;
      mask[row] = 0;
      count++;
    }
    dropped += count;
    return count === 0 ? undefined : mask;
  });
  return { dropped, kept };
}
