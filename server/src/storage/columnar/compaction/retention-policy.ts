// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';

/** How long and how much is kept; what is undefined has no limit. */
export interface RetentionLimits {
  /** Since a span came in, which is when its block was sealed. */
  readonly maxAgeMs?: number | undefined;
  /** Of blocks. */
  readonly maxBytes?: number | undefined;
  /** Ages of single services, in ms, in place of the one above: longer or shorter. */
  readonly services?: ReadonlyMap<string, number> | undefined;
}

/** What a store keeps. A tenant's own limits are counted for it alone; those of the store hold for all tenants together. */
export interface RetentionPolicy extends RetentionLimits {
  /** Limits of single tenants; an age here stands in place of the store's, one of a service in place of the store's for it. */
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
    const { maxAgeMs, services } = agesOf(block, policy);
    const longestMs = Math.max(maxAgeMs, ...services.values());
    if (nowMs - block.createdUnixMs >= longestMs) kept.delete(block);
  }
  for (const [tenant, { maxBytes = Infinity }] of policy.tenants ?? []) {
    dropOldest(kept, (block) => block.tenant === tenant, maxBytes);
  }
  dropOldest(kept, () => true, policy.maxBytes ?? Infinity);
  return blocks.filter((block) => !kept.has(block));
}

/** The spans of a block that are past their age while others are not; undefined when there can be none. */
export function expiredSpans(
  block: BlockEntry,
  policy: RetentionPolicy,
  nowMs: number,
): SpanPredicate | undefined {
  const { maxAgeMs, services } = agesOf(block, policy);
  const ageMs = nowMs - block.createdUnixMs;
  if (ageMs >= maxAgeMs) {
    const kept = [...services].filter(([, serviceMs]) => ageMs < serviceMs);
    return { op: 'not', arg: { op: 'or', args: kept.map(([name]) => isOfService(name)) } };
  }
  const expired = [...services].filter(([, serviceMs]) => ageMs >= serviceMs);
  if (expired.length === 0) return undefined;
  return { op: 'or', args: expired.map(([name]) => isOfService(name)) };
}

function isOfService(value: string): SpanPredicate {
  const field = { kind: 'intrinsic', name: 'service' } as const;
  return { op: 'eq', field, value: { type: 'string', value } };
}

/** The ages that hold for a block. */
function agesOf(
  { tenant }: BlockEntry,
  policy: RetentionPolicy,
): { maxAgeMs: number; services: ReadonlyMap<string, number> } {
  const own = policy.tenants?.get(tenant);
  return {
    maxAgeMs: own?.maxAgeMs ?? policy.maxAgeMs ?? Infinity,
    services: new Map([...(policy.services ?? []), ...(own?.services ?? [])]),
  };
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
