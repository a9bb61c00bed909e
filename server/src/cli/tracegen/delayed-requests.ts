// SPDX-License-Identifier: Apache-2.0
import type { CorpusRequest } from './corpus.ts';

/** More than this is not held back: the oldest are sent early. It is reached only by long runs at high speed. */
const MAX_HELD_BYTES = 256 << 20;

interface Delayed {
  readonly dueNanos: number;
  readonly request: CorpusRequest;
}

/** Requests that are sent later, or again. */
export class DelayedRequests {
  /** Latest first, so that the next one is at the end. */
  readonly #queue: Delayed[] = [];
  #bytes = 0;

  /**
   * The request, unless it is late, and what has become too much to hold.
   * @param delays `lateNanos` 0 is in time; `resendNanos` below 0 is never
   */
  *pass(
    request: CorpusRequest,
    nowNanos: number,
    delays: { readonly lateNanos: number; readonly resendNanos: number },
  ): Generator<CorpusRequest> {
    const { lateNanos, resendNanos } = delays;
    if (lateNanos > 0) this.#add(request, nowNanos + lateNanos);
    else yield request;
    if (resendNanos >= 0) this.#add(request, nowNanos + lateNanos + resendNanos);
    while (this.#bytes > MAX_HELD_BYTES) yield this.#next();
  }

  /** What is due; with Infinity everything. */
  *due(nowNanos: number): Generator<CorpusRequest> {
    while (this.#queue.length > 0 && this.#queue.at(-1)!.dueNanos <= nowNanos) yield this.#next();
  }

  #next(): CorpusRequest {
    const { request } = this.#queue.pop()!;
    this.#bytes -= request.body.length;
    return request;
  }

  #add(request: CorpusRequest, dueNanos: number): void {
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#queue[middle]!.dueNanos > dueNanos) low = middle + 1;
      else high = middle;
    }
    this.#queue.splice(low, 0, { dueNanos, request });
    this.#bytes += request.body.length;
  }
}
