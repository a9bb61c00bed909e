// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { BodyBudget, MemoryBudget, MemoryLease } from './memory-budget.ts';

/**
 * Divides a {@link MemoryBudget} among tenants: nobody may hold more than what is left free. One
 * tenant that floods stops at half of the budget, two at a third each, and so on; however many flood,
 * one that holds nothing finds as much room as they have. No share has to be known beforehand, and
 * there is nothing to tune. ("Dynamic thresholds", as switches divide their buffers among ports.)
 */
export class TenantShares {
  readonly #budget: MemoryBudget;
  readonly #onNoRoom: (tenant: Tenant) => void;
  /** Of tenants that hold something: as many as there are bodies in flight at most. */
  readonly #usedBytes = new Map<Tenant, number>();

  /** @param onNoRoom told whose body found no room */
  constructor(budget: MemoryBudget, onNoRoom: (tenant: Tenant) => void = () => undefined) {
    this.#budget = budget;
    this.#onNoRoom = onNoRoom;
  }

  /** What the bodies of a tenant are paid from. */
  of(tenant: Tenant): BodyBudget {
    return new TenantShare(this, this.#budget, tenant);
  }

  /** Whether a tenant may begin with a body of so many bytes now; counted when it may not. */
  admits(tenant: Tenant, bytes: number): boolean {
    const heldBytes = this.#usedBytes.get(tenant) ?? 0;
    if (heldBytes < this.#budget.queueBytes) return this.fits(tenant, bytes);
    this.#refuse(tenant);
    return false;
  }

  /** Whether a tenant may hold so many bytes more now; counted when it may not. */
  fits(tenant: Tenant, bytes: number): boolean {
    const heldBytes = this.#usedBytes.get(tenant) ?? 0;
    if (heldBytes + bytes <= this.#budget.freeBytes) return true;
    this.#refuse(tenant);
    return false;
  }

  /** Notes that a tenant holds so many bytes more, or fewer. */
  add(tenant: Tenant, bytes: number): void {
    const heldBytes = (this.#usedBytes.get(tenant) ?? 0) + bytes;
    if (heldBytes === 0) this.#usedBytes.delete(tenant);
    else this.#usedBytes.set(tenant, heldBytes);
  }

  #refuse(tenant: Tenant): void {
    this.#budget.countRefusal();
    this.#onNoRoom(tenant);
  }
}

class TenantShare implements BodyBudget {
  readonly #shares: TenantShares;
  readonly #budget: MemoryBudget;
  readonly #tenant: Tenant;

  constructor(shares: TenantShares, budget: MemoryBudget, tenant: Tenant) {
    this.#shares = shares;
    this.#budget = budget;
    this.#tenant = tenant;
  }

  /** A body grows to as much as stays free beside it. */
  get limitBytes(): number {
    return Math.floor(this.#budget.limitBytes / 2);
  }

  get pool(): BufferPool {
    return this.#budget.pool;
  }

  reserve(bytes: number): MemoryLease | undefined {
    this.#budget.freeSlow();
    if (!this.#shares.admits(this.#tenant, bytes)) return undefined;
    const lease = this.#budget.reserve(bytes, this);
    if (lease !== undefined) this.#shares.add(this.#tenant, bytes);
    return lease;
  }

  take(bytes: number): boolean {
    if (!this.#shares.fits(this.#tenant, bytes) || !this.#budget.take(bytes)) return false;
    this.#shares.add(this.#tenant, bytes);
    return true;
  }

  giveBack(bytes: number, last: boolean): void {
    this.#budget.giveBack(bytes, last);
    this.#shares.add(this.#tenant, -bytes);
  }
}
