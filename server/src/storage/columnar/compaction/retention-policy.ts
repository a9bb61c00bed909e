// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { BlockEntry } from '../manifest-edit.ts';

/** How long and how much is kept; what is undefined has no limit. */
export interface RetentionLimits {
  /** Since a span came in, which is when its block was sealed. */
  readonly maxAgeMs?: number | undefined;
  /** Of blocks. */
  readonly maxBytes?: number | undefined;
}

/** What a store keeps. A tenant's own limits are counted for it alone; those of the store hold for all tenants together. */
export interface RetentionPolicy extends RetentionLimits {
  /** Limits of single tenants; an age here stands in place of the store's. */
  readonly tenants?: ReadonlyMap<Tenant, RetentionLimits>;
}

/** The blocks of a store that are to go: first those past their age, then the oldest ones until what is left fits. */
export function expiredBlocks(
  blocks: readonly BlockEntry[],
  policy: RetentionPolicy,
  nowMs: number,
): BlockEntry[] {
  const kept = new Set(blocks);
  for (const block of blocks) {
    const maxAgeMs = policy.tenants?.get(block.tenant)?.maxAgeMs ?? policy.maxAgeMs ?? Infinity;
    if (nowMs - block.createdUnixMs >= maxAgeMs) kept.delete(block);
  }
  for (const [tenant, { maxBytes = Infinity }] of policy.tenants ?? []) {
    dropOldest(kept, (block) => block.tenant === tenant, maxBytes);
  }
  dropOldest(kept, () => true, policy.maxBytes ?? Infinity);
  return blocks.filter((block) => !kept.has(block));
}

/** Drops the oldest of some blocks until the rest of them has at most `maxBytes`. */
function dropOldest(
  kept: Set<BlockEntry>,
  concerns: (block: BlockEntry) => boolean,
  maxBytes: number,
): void {
  const some = [...kept]
    .filter(concerns)
    .sort((a, b) => a.createdUnixMs - b.createdUnixMs || a.id - b.id);
  let bytes = some.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  for (const block of some) {
    if (bytes <= maxBytes) return;
    kept.delete(block);
    bytes -= block.sizeBytes;
  }
}
