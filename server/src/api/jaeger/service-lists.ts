// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import { compareCodePoints } from '@spoor/core/query/code-point-order.ts';
import { mergeOperations, type Operation } from '@spoor/core/query/operation-list.ts';
import { storedServices, UNNAMED_SERVICE } from '@spoor/core/query/unnamed-service.ts';
import type { ReadOptions, TraceReader } from '#storage/tracestore.ts';

/** Names of all services, by code point. */
export async function listServices(
  reader: TraceReader,
  tenant: Tenant,
  options: ReadOptions,
): Promise<string[]> {
  const stored = await reader.getServices(tenant, options);
  if (stored[0] !== '') return stored;
  const named = stored.slice(1);
  if (named.includes(UNNAMED_SERVICE)) return named;
  return [...named, UNNAMED_SERVICE].sort(compareCodePoints);
}

/** Distinct operations of a service as `listServices` names it, by name, then kind; to be gone through once. */
export async function listOperations(
  reader: TraceReader,
  tenant: Tenant,
  service: string,
  options: ReadOptions,
): Promise<Iterable<Operation>> {
  const lists: Iterable<Operation>[] = [];
  for (const stored of storedServices(service)) {
    lists.push(await reader.getOperations(tenant, stored, options));
  }
  return mergeOperations(lists);
}
