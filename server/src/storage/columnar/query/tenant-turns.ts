// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';

/** Questions with the query worker: one that it answers, and one so that it need not wait for the next. */
const RUNNING = 2;

/** Questions of one tenant that wait, beside those that were stopped; each stands for a connection, of which there are not more. */
const MAX_WAITING = 1000;

/** A question that waits. */
interface Waiter {
  readonly go: () => void;
}

/**
 * Lets tenants take turns at the one query worker: one that asks much waits for itself, and the next question of another
 * tenant is answered after one of each at most.
 */
export class TenantTurns {
  #running = 0;
  /** The tenant whose turn is next comes first. */
  readonly #waiting = new Map<Tenant, Waiter[]>();

  /**
   * Asks when it is the tenant's turn.
   * @param hadTurn whether this question was asked before, and stopped: then it is not refused
   * @throws {SpoorError} cancelled: the signal fired before; overloaded: too many wait
   */
  async take<Answer>(
    tenant: Tenant,
    signal: AbortSignal | undefined,
    ask: () => Promise<Answer>,
    hadTurn = false,
  ): Promise<Answer> {
    if (isAborted(signal)) throw cancelled();
    if (this.#running < RUNNING) this.#running++;
    else await this.#wait(tenant, signal, hadTurn);
    try {
      // It may have fired in the moment in which the turn came.
      if (isAborted(signal)) throw cancelled();
      return await ask();
    } finally {
      this.#next();
    }
  }

  async #wait(tenant: Tenant, signal: AbortSignal | undefined, hadTurn: boolean): Promise<void> {
    const queue = this.#waiting.get(tenant) ?? [];
    if (queue.length >= MAX_WAITING && !hadTurn) {
      throw new SpoorError(
        'overloaded',
        `query: ${MAX_WAITING} questions of the tenant wait already`,
      );
    }
    const turn = Promise.withResolvers<void>();
    const waiter: Waiter = { go: turn.resolve };
    const giveUp = (): void => {
      const place = queue.indexOf(waiter);
      // Its turn has come just now.
      if (place < 0) return;
      queue.splice(place, 1);
      if (queue.length === 0) this.#waiting.delete(tenant);
      turn.reject(cancelled());
    };
    queue.push(waiter);
    this.#waiting.set(tenant, queue);
    signal?.addEventListener('abort', giveUp);
    try {
      await turn.promise;
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /** Hands the place of a question that is answered to the next one. */
  #next(): void {
    const [entry] = this.#waiting;
    if (entry === undefined) {
      this.#running--;
      return;
    }
    const [tenant, queue] = entry;
    this.#waiting.delete(tenant);
    const waiter = queue.shift();
    if (queue.length > 0) this.#waiting.set(tenant, queue);
    waiter?.go();
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function cancelled(): SpoorError {
  return new SpoorError('cancelled', 'query: nobody waits for the answer any more');
}
