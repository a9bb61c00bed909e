// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';

/** Tenants with figures of their own: each costs a scrape three lines. */
const MAX_NAMED_TENANTS = 100;

/** Name of the rest together; no tenant can have it. */
const OTHERS = '(others)';

/** What one tenant has sent since the start. */
interface TenantFigures {
  readonly tenant: string;
  /** Spans that were stored. */
  readonly acceptedSpans: number;
  /** Bodies after decompression, in bytes. */
  readonly bodyBytes: number;
  /** Times that a body found no room beside the tenant's others. */
  readonly noRoom: number;
}

type MutableFigures = { -readonly [K in keyof TenantFigures]: TenantFigures[K] };

/** Counts what tenants send. The first hundred are told by name, the rest together: anyone may invent names. */
export class TenantCounters {
  readonly #named = new Map<string, MutableFigures>();

  /** The counters themselves: read them, don't keep them. */
  figures(): Iterable<TenantFigures> {
    return this.#named.values();
  }

  /** Counts a request that was taken. */
  countTaken(tenant: Tenant, acceptedSpans: number, bodyBytes: number): void {
    const figures = this.#of(tenant);
    figures.acceptedSpans += acceptedSpans;
    figures.bodyBytes += bodyBytes;
  }

  /** Counts a body that found no room. */
  countNoRoom(tenant: Tenant): void {
    this.#of(tenant).noRoom++;
  }

  #of(tenant: Tenant): MutableFigures {
    const isFull = this.#named.size >= MAX_NAMED_TENANTS;
    const name = isFull && !this.#named.has(tenant) ? OTHERS : tenant;
    let figures = this.#named.get(name);
    if (figures === undefined) {
      figures = { tenant: name, acceptedSpans: 0, bodyBytes: 0, noRoom: 0 };
      this.#named.set(name, figures);
    }
    return figures;
  }
}
