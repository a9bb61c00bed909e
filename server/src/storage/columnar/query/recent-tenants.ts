// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';

/** Something of each of the tenants that were looked at last. */
export class RecentTenants<Value> {
  readonly #max: number;
  /** What was used last stands last. */
  readonly #values = new Map<Tenant, Value>();

  /** @param max tenants; of the others it is forgotten */
  constructor(max: number) {
    this.#max = max;
  }

  /** What there is of a tenant; it is made where there is nothing. */
  of(tenant: Tenant, make: () => Value): Value {
    const value = this.#values.get(tenant) ?? make();
    this.#values.delete(tenant);
    this.#values.set(tenant, value);
    if (this.#values.size > this.#max) this.#values.delete(this.#values.keys().next().value!);
    return value;
  }

  /** What there is of a tenant, without that it counts as a use. */
  known(tenant: Tenant): Value | undefined {
    return this.#values.get(tenant);
  }

  /** Gives away what there is of a tenant. */
  take(tenant: Tenant): Value | undefined {
    const value = this.#values.get(tenant);
    this.#values.delete(tenant);
    return value;
  }
}
