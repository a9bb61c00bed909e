// SPDX-License-Identifier: Apache-2.0
import { formatTraceId, traceIdBytes, type TraceId } from '@spoor/core/model/ids.ts';
import type { TracePart } from '@spoor/core/query/join-trace.ts';
import type { HeadBatch } from '../head/head-batch.ts';

/**
 * Rows of batches by trace, in the order of the batches.
 * @param wanted the only traces to look for; all without it
 */
export function rowsByTrace(
  batches: readonly HeadBatch[],
  wanted?: ReadonlyMap<TraceId, unknown>,
): Map<TraceId, TracePart[]> {
  const traces = new Map<TraceId, TracePart[]>();
  for (const { batch: columns, idWords } of batches) {
    const inBatch = new Map<TraceId, number[]>();
    let last: number[] | undefined;
    for (let row = 0; row < columns.rows; row++) {
      // Spans of a trace often follow one another.
      if (row > 0 && sameId(idWords, row * 4)) {
        last?.push(row);
        continue;
      }
      const id = formatTraceId(columns.traceId, row * 16);
      last = inBatch.get(id);
      if (last !== undefined) last.push(row);
      else if (wanted === undefined || wanted.has(id)) inBatch.set(id, (last = [row]));
    }
    for (const [id, rows] of inBatch) {
      const parts = traces.get(id);
      if (parts === undefined) traces.set(id, [{ columns, rows }]);
      else parts.push({ columns, rows });
    }
  }
  return traces;
}

/** Ids, 16 bytes each. */
export function joinIds(ids: readonly TraceId[]): Uint8Array {
  const bytes = new Uint8Array(ids.length * 16);
  ids.forEach((id, i) => bytes.set(traceIdBytes(id), i * 16));
  return bytes;
}

/** Whether the id at `at` is the one before it. */
function sameId(words: Uint32Array, at: number): boolean {
  return (
    words[at] === words[at - 4] &&
    words[at + 1] === words[at - 3] &&
    words[at + 2] === words[at - 2] &&
    words[at + 3] === words[at - 1]
  );
}
