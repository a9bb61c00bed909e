// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';

/** Rows of a batch, or of a builder that is being filled, and where their resources are. */
export interface ResourceRows {
  /** Code of the resource of each row. */
  readonly resource: Uint32Array;
  readonly resources: SymbolTable;
  /** The rows `[start, end)`. */
  readonly start: number;
  readonly end: number;
}

/**
 * Takes or refuses a request after it was decoded, before it shares a batch with others: what comes later can only refuse a whole
 * batch, and with it requests of senders who did nothing wrong.
 * @param parts where the spans of the request are
 * @throws {SpoorError} overloaded: nothing of it is kept
 */
export type Admission = (tenant: Tenant, parts: readonly ResourceRows[]) => void;

/**
 * One of several limits that a request has to pass.
 * @returns takes what the request needs; it is called in the same turn of the event loop, once all others have room as well
 * @throws {SpoorError} overloaded
 */
export type Limit = (tenant: Tenant, parts: readonly ResourceRows[]) => () => void;

/** Admits what passes all limits: a request that one refuses costs the others nothing, however often it comes again. */
export function admitWithin(limits: readonly Limit[]): Admission {
  return (tenant, parts) => {
    const takes = limits.map((limit) => limit(tenant, parts));
    for (const take of takes) take();
  };
}
