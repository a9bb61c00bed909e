// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';

/** Something of each of the tenants that were asked about last, and of as many others for which it was prepared. */
export class RecentTenants<Value> {
  readonly #max: number;
  // What was used last stands last.
  readonly #asked = new Map<Tenant, Value>();
  /** Of tenants about which nobody asked: they push out none of those above. */
  readonly #prepared = new Map<Tenant, Value>();

  /** @param max tenants of each sort; of the others it is forgotten */
  constructor(max: number) {
    this.#max = max;
  }

  /** What there is of a tenant that somebody asks about; it is made where there is nothing. */
  of(tenant: Tenant, make: () => Value): Value {
    const value = this.#asked.get(tenant) ?? this.#prepared.get(tenant) ?? make();
    this.#prepared.delete(tenant);
    return this.#use(this.#asked, tenant, value);
  }

  /** As {@link of} while nobody asks. */
  prepared(tenant: Tenant, make: () => Value): Value {
    const asked = this.#asked.get(tenant);
    if (asked !== undefined) return asked;
    return this.#use(this.#prepared, tenant, this.#prepared.get(tenant) ?? make());
  }

  /** All that there are. */
  *values(): Generator<Value, void> {
    yield* this.#asked.values();
    yield* this.#prepared.values();
  }

  #use(values: Map<Tenant, Value>, tenant: Tenant, value: Value): Value {
    values.delete(tenant);
    values.set(tenant, value);
    if (values.size > this.#max) values.delete(values.keys().next().value!);
    return value;
  }
}
