// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';

/** The tenants of a store, numbered: slabs name the owner of a batch by its number. */
export class TenantNumbers {
  readonly #max: number;
  readonly #names: Tenant[] = [];
  readonly #numbers = new Map<Tenant, number>();

  /** @param max tenants that may be here; those found on disk count, but are never refused */
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

  /** Number of a tenant that may be new. @throws {SpoorError} overloaded: it would be one too many */
  take(tenant: Tenant): number {
    if (!this.#numbers.has(tenant) && this.#names.length >= this.#max) {
      throw new SpoorError(
        'overloaded',
        `tenant ${tenant} would be one more than the ${this.#max} that this store keeps`,
      );
    }
    return this.known(tenant);
  }

  /** Number of a tenant that has spans here already, however many there are. */
  known(tenant: Tenant): number {
    let number = this.#numbers.get(tenant);
    if (number === undefined) {
      number = this.#names.push(tenant) - 1;
      this.#numbers.set(tenant, number);
    }
    return number;
  }
}
