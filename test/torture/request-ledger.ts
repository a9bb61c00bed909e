// SPDX-License-Identifier: Apache-2.0
import type { Random } from '../../server/src/cli/tracegen/random.ts';

/** What became of a request: never handed to a connection; sent, but its answer is unknown; acknowledged. */
export type RequestState = 'unsent' | 'sent' | 'acked';

const SENT = 1;
const ACKED = 2;

/** What is known about every request of a plan: the truth that the store is held to. */
export class RequestLedger {
  readonly #states: number[] = [];
  readonly #acked: number[] = [];
  /** Requests to be sent again, identically. */
  readonly #again: number[] = [];
  ackedSpans = 0;
  /** Of requests that are sent and not acknowledged. */
  openSpans = 0;
  resends = 0;

  /** Requests that were begun. */
  get size(): number {
    return this.#states.length;
  }

  get ackedRequests(): number {
    return this.#acked.length;
  }

  /** Requests that wait to be sent again. */
  get waiting(): number {
    return this.#again.length;
  }

  state(request: number): RequestState {
    const state = this.#states[request];
    if (state === undefined) return 'unsent';
    return state === ACKED ? 'acked' : 'sent';
  }

  /** The next request that was never sent. It counts as sent from now on. */
  begin(spansOf: (request: number) => number): number {
    const request = this.#states.push(SENT) - 1;
    this.openSpans += spansOf(request);
    return request;
  }

  /** A request whose answer never came, if there is one. */
  takeAgain(random: Random): number | undefined {
    const { length } = this.#again;
    if (length === 0) return undefined;
    this.resends++;
    // Any of them: what exporters queued comes back in no order.
    return this.#again.splice(random.int(length), 1)[0];
  }

  /** The answer did not come, or asked for another try. */
  putAgain(request: number): void {
    this.#again.push(request);
  }

  ack(request: number, spans: number): void {
    if (this.#states[request] === ACKED) return;
    this.#states[request] = ACKED;
    this.#acked.push(request);
    this.ackedSpans += spans;
    this.openSpans -= spans;
  }

  /** All acknowledged requests, in the order of their answers. */
  acked(): readonly number[] {
    return this.#acked;
  }

  /** Some acknowledged requests, half of them among the newest, where a loss is most likely. */
  sample(count: number, random: Random): number[] {
    const { length } = this.#acked;
    if (length <= count) return [...this.#acked];
    const chosen = new Set<number>();
    while (chosen.size < count) {
      const among = chosen.size < count / 2 ? Math.min(length, 2 * count) : length;
      chosen.add(this.#acked[length - 1 - random.int(among)]!);
    }
    return [...chosen];
  }
}
