// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';

/**
 * The tenants that have spans in the head, numbered: slabs name the owner of a batch by its number. One that has none there any more
 * keeps its number until another one needs it; a number means one tenant for as long as a slab has it.
 */
export class TenantNumbers {
  readonly #max: number;
  /** By number; that of one that is free is of no meaning. */
  readonly #names: Tenant[] = [];
  readonly #numbers = new Map<Tenant, number>();
  readonly #free: number[] = [];

  /** @param max tenants that may be here; those read back from the log count, but are never refused */
  constructor(max: number) {
    this.#max = max;
  }

  /** Tenants by their number. */
  get names(): readonly Tenant[] {
    return this.#names;
  }

  /** Number of a tenant, or -1 when it has nothing here. */
  find(tenant: Tenant): number {
    return this.#numbers.get(tenant) ?? -1;
  }

  /**
   * Number of a tenant that may be new.
   * @param inUse numbers that the head has, asked for when there is no other
   * @throws {SpoorError} overloaded: it would be one too many
   */
  take(tenant: Tenant, inUse: () => ReadonlySet<number>): number {
    if (!this.#numbers.has(tenant) && this.#numbers.size >= this.#max) {
      this.#freeUnused(inUse());
      if (this.#numbers.size >= this.#max) {
        throw new SpoorError(
          'overloaded',
          `tenant ${tenant} would be one more than the ${this.#max} that may have spans which are in no block yet`,
        );
      }
    }
    return this.known(tenant);
  }

  /** Number of a tenant that has spans here already, however many there are. */
  known(tenant: Tenant): number {
    let number = this.#numbers.get(tenant);
    if (number === undefined) {
      number = this.#free.pop() ?? this.#names.length;
      this.#names[number] = tenant;
      this.#numbers.set(tenant, number);
    }
    return number;
  }

  #freeUnused(inUse: ReadonlySet<number>): void {
    for (const [tenant, number] of this.#numbers) {
      if (inUse.has(number)) continue;
      this.#numbers.delete(tenant);
      this.#free.push(number);
    }
  }
}
