// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';

/** How long and how much is kept; what is undefined has no limit. */
export interface RetentionLimits {
  /**
   * Since the newest span of a block was sealed: usually within an hour of coming in, later where the server was stopped or could not
   * seal.
   */
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

/** The blocks of which all is past its age. */
export function blocksPastAge(
  blocks: readonly BlockEntry[],
  policy: RetentionPolicy,
  nowMs: number,
): BlockEntry[] {
  const longest = new Map<Tenant, number>();
  return blocks.filter(({ tenant, createdUnixMs }) => {
    let longestMs = longest.get(tenant);
    if (longestMs === undefined) longest.set(tenant, (longestMs = longestAgeMs(tenant, policy)));
    return nowMs - createdUnixMs >= longestMs;
  });
}

/** The oldest blocks of a store, so many that what is left fits. */
export function blocksBeyondSize(
  blocks: readonly BlockEntry[],
  policy: RetentionPolicy,
): BlockEntry[] {
  const gone = new Set<BlockEntry>();
  const isBounded = ({ tenant }: BlockEntry): boolean =>
    policy.tenants?.get(tenant)?.maxBytes !== undefined;
  for (const [tenant, some] of Map.groupBy(blocks.filter(isBounded), ({ tenant }) => tenant)) {
    dropOldest(some, policy.tenants!.get(tenant)!.maxBytes!, gone);
  }
  if (policy.maxBytes !== undefined) dropOldest(blocks, policy.maxBytes, gone);
  return gone.size === 0 ? [] : blocks.filter((block) => gone.has(block));
}

/** Bytes of blocks of a tenant that are kept at most, by its own limit and by that of all tenants together. */
export function keptBytes(
  tenant: Tenant,
  { maxBytes = Infinity, tenants }: RetentionPolicy,
): number {
  return Math.min(maxBytes, tenants?.get(tenant)?.maxBytes ?? Infinity);
}

/** Whether spans of a block may be past their age while others are not. */
export function hasAgesOfServices({ services, tenants }: RetentionPolicy): boolean {
  return [services, ...(tenants?.values() ?? []).map((limits) => limits.services)].some(
    (ages) => ages !== undefined && ages.size > 0,
  );
}

/** The spans of a block that are past their age while others are not; undefined when there can be none. */
export function expiredSpans(
  block: BlockEntry,
  policy: RetentionPolicy,
  nowMs: number,
): SpanPredicate | undefined {
  const { maxAgeMs, services } = agesOf(block.tenant, policy);
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

function longestAgeMs(tenant: Tenant, policy: RetentionPolicy): number {
  const { maxAgeMs, services } = agesOf(tenant, policy);
  return Math.max(maxAgeMs, ...services.values());
}

/** The ages that hold for the blocks of a tenant. */
function agesOf(
  tenant: Tenant,
  policy: RetentionPolicy,
): { maxAgeMs: number; services: ReadonlyMap<string, number> } {
  const own = policy.tenants?.get(tenant);
  return {
    maxAgeMs: own?.maxAgeMs ?? policy.maxAgeMs ?? Infinity,
    services: new Map([...(policy.services ?? []), ...(own?.services ?? [])]),
  };
}

/**
 * Adds to `gone` the oldest of some blocks until those that are not in it have at most `maxBytes`. The newest stays: what came in just
 * now would be gone as soon as it is sealed, where the limit is less than a block.
 */
function dropOldest(some: readonly BlockEntry[], maxBytes: number, gone: Set<BlockEntry>): void {
  const kept = some.filter((block) => !gone.has(block));
  let bytes = kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (bytes <= maxBytes) return;
  kept.sort((a, b) => a.createdUnixMs - b.createdUnixMs || a.id - b.id);
  for (const block of kept.slice(0, -1)) {
    if (bytes <= maxBytes) return;
    gone.add(block);
    bytes -= block.sizeBytes;
  }
}
