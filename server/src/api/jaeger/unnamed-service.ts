// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import { compareCodePoints } from '@spoor/core/query/code-point-order.ts';
import { mergeOperations, type Operation } from '@spoor/core/query/operation-list.ts';
import type { ReadOptions, TraceReader } from '#storage/tracestore.ts';

/**
 * What Jaeger calls the service of spans whose resource names none. Its readers can look for spans of a service only, so it
 * is listed and searched like any other.
 * @see https://github.com/jaegertracing/jaeger/blob/v1.76.0/internal/jptrace/sanitizer/emptyservicename.go
 */
const UNNAMED_SERVICE = 'missing-service-name';

/** What a service is called in answers. */
export function shownService(stored: string): string {
  return stored === '' ? UNNAMED_SERVICE : stored;
}

/** What the store has for a service of Jaeger: spans that came from Jaeger may really be called so. */
export function storedServices(service: string): readonly string[] {
  return service === UNNAMED_SERVICE ? ['', UNNAMED_SERVICE] : [service];
}

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
