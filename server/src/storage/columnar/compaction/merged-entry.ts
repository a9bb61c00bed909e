// SPDX-License-Identifier: Apache-2.0
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import type { CompactionResult } from './compaction-worker.ts';

/** What the manifest says of a block that takes the place of others. */
export function mergedEntry(
  sources: readonly BlockEntry[],
  block: NonNullable<CompactionResult['block']>,
  id: number,
  level: number,
): BlockEntry {
  return {
    tenant: sources[0]!.tenant,
    id,
    level,
    spans: block.rows,
    traces: block.traces,
    sizeBytes: block.bytes,
    minStartUnixNano: block.minStartUnixNano,
    maxStartUnixNano: block.maxStartUnixNano,
    // Age counts from when the last of the spans was sealed.
    createdUnixMs: Math.max(...sources.map(({ createdUnixMs }) => createdUnixMs)),
    ...(sources.some(({ isUndated }) => isUndated) ? { isUndated: true } : {}),
    firstSequence: Math.min(...sources.map(({ firstSequence }) => firstSequence)),
    lastSequence: Math.max(...sources.map(({ lastSequence }) => lastSequence)),
  };
}
