// SPDX-License-Identifier: Apache-2.0
import { comparePositions } from './trace-order.ts';
import type { TraceOrder, TracePosition, TraceQuery } from './trace-query.ts';

/** A trace and where it stands. */
export interface RankedTrace<Value> extends TracePosition {
  readonly value: Value;
}

/** Keeps those of many matching traces that are on the page that a query asks for. */
export class TopTraces<Value> {
  readonly #order: TraceOrder;
  readonly #after: TracePosition | undefined;
  readonly #limit: number;
  /** The best so far, sorted up to `#sorted`; one more than the page has, so that it is known whether there are more. */
  readonly #traces: RankedTrace<Value>[] = [];
  #worst: TracePosition | undefined;

  constructor({ order = 'newest', after, limit }: Pick<TraceQuery, 'order' | 'after' | 'limit'>) {
    this.#order = order;
    this.#after = after;
    this.#limit = limit;
  }

  /** What comes behind this cannot get in any more; undefined while anything could. */
  get worst(): TracePosition | undefined {
    return this.#worst;
  }

  /** Takes a trace. Each may come once. */
  offer(trace: RankedTrace<Value>): void {
    if (this.#after !== undefined && comparePositions(this.#order, trace, this.#after) <= 0) return;
    if (this.#worst !== undefined && comparePositions(this.#order, trace, this.#worst) > 0) return;
    this.#traces.push(trace);
    // Sorting now and then is cheaper than keeping thousands in order.
    const full = this.#limit + 1;
    if (this.#traces.length >= (this.#worst === undefined ? full : full + 1 + (full >> 3))) {
      this.#trim();
    }
  }

  /** The traces of the page, and the `after` of the next one. */
  finish(): { traces: readonly RankedTrace<Value>[]; next: TracePosition | undefined } {
    this.#trim();
    const traces = this.#traces.slice(0, this.#limit);
    const last = traces.at(-1);
    if (last === undefined || this.#traces.length <= this.#limit) {
      return { traces, next: undefined };
    }
    return { traces, next: { key: last.key, traceId: last.traceId } };
  }

  #trim(): void {
    this.#traces.sort((a, b) => comparePositions(this.#order, a, b));
    this.#traces.length = Math.min(this.#traces.length, this.#limit + 1);
    if (this.#traces.length > this.#limit) this.#worst = this.#traces.at(-1);
  }
}
