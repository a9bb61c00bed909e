// SPDX-License-Identifier: Apache-2.0
import { SpanKind } from '#model/span.ts';
import { hashTwo } from '#model/word-hash.ts';
import type { SpanRows } from './span-rows.ts';

/** Of an id that several spans have: the best two of them, then the best two clients. */
const BEST_WORDS = 4;
const BEST = 0;
const BEST_CLIENT = 2;

/**
 * Finds which services of a trace called which.
 *
 * A span is a call when its nearest ancestor with a service has another service than the span's own. (So only the first span
 * of a service's work counts; spans without service are looked through.) A client or producer span for which no other
 * span of the trace stands is a **leaf**: what it called has not sent spans, and may be told by its attributes.
 *
 * Where several spans have the id of a parent, the one that serves is taken; a server span that shares its id with a client's
 * is the client's child (Zipkin's shared spans). What is found depends on the spans only, not on their order.
 */
export class EdgeFinder {
  /** Calls found last: the span called, and the span that called it, as indexes of the rows. */
  readonly callee: number[] = [];
  readonly caller: number[] = [];
  /** Leaves found last. */
  readonly leaves: number[] = [];
  #rows!: SpanRows;
  #texts: readonly string[] = [];
  #start = 0;
  /** Per id of the trace its first span, by hash; -1 where there is none. */
  #table = new Int32Array(64);
  #mask = 63;
  /** Whether two spans of the trace have one id. */
  #hasShared = false;
  /** Per span the first one with its id; both are counted from the start of the trace. */
  #firsts = new Int32Array(64);
  /** Where ids are shared, per first span with an id {@link BEST_WORDS} rows with it: the best two, and the best two clients. */
  #best = new Int32Array(0);
  #parents = new Int32Array(64);
  /** Nearest ancestors with a service, as far as they were looked for; until then parents. */
  #callers = new Int32Array(64);
  /** 1 for each id of which another span stands for what was called, at the first span that has it. */
  #answered = new Uint8Array(64);

  /**
   * Finds the calls of one trace.
   * @param rows whose `[start, end)` is the trace, every span once
   * @param texts names of services
   */
  find(rows: SpanRows, start: number, end: number, texts: readonly string[]): void {
    this.callee.length = this.caller.length = this.leaves.length = 0;
    this.#rows = rows;
    this.#texts = texts;
    this.#start = start;
    this.#index(start, end);
    const parents = this.#parents;
    const firsts = this.#firsts;
    const answered = this.#answered.fill(0, 0, end - start);
    for (let i = start; i < end; i++) {
      parents[i - start] = this.#callers[i - start] = this.#parent(i);
    }
    const { service, kind } = rows;
    for (let i = start; i < end; i++) {
      const parent = parents[i - start]!;
      if (parent < 0) continue;
      // Such a span stands for what its parent called, and what those called that share its id.
      if (kind[i]! >= SpanKind.server || service[i] !== service[parent]) {
        answered[firsts[parent - start]!] = 1;
      }
      const own = service[i]!;
      if (own === 0) continue;
      const caller = service[parent] === 0 ? this.#nearestService(parent) : parent;
      if (caller < 0 || service[caller] === own) continue;
      this.callee.push(i);
      this.caller.push(caller);
    }
    for (let i = start; i < end; i++) {
      if (answered[firsts[i - start]!] === 1 || service[i] === 0) continue;
      if (kind[i] === SpanKind.client || kind[i] === SpanKind.producer) this.leaves.push(i);
    }
  }

  /** The nearest ancestor with a service of a span that has none, or -1. It is remembered for all that were passed. */
  #nearestService(i: number): number {
    const { service } = this.#rows;
    const parents = this.#parents;
    const callers = this.#callers;
    const start = this.#start;
    let caller = i;
    while (caller >= 0 && service[caller] === 0) {
      const next = callers[caller - start]!;
      // Loops are possible among spans without service: one ends where it comes back to what was passed.
      callers[caller - start] = -1;
      caller = next;
    }
    if (caller < 0) return -1;
    for (let at = i; at !== caller && callers[at - start] !== caller; at = parents[at - start]!) {
      callers[at - start] = caller;
    }
    return caller;
  }

  /** Puts the ids of the trace into the table. */
  #index(start: number, end: number): void {
    const { spanWords } = this.#rows;
    const count = end - start;
    if (count * 2 > this.#table.length) this.#grow(count * 2);
    // Only as much of the table as this trace needs: most are small.
    let size = 64;
    while (size < count * 2) size *= 2;
    this.#mask = size - 1;
    const table = this.#table.fill(-1, 0, size);
    const firsts = this.#firsts;
    this.#hasShared = false;
    for (let i = start; i < end; i++) {
      const slot = this.#slotOf(spanWords[i * 2]!, spanWords[i * 2 + 1]!);
      if (table[slot]! < 0) table[slot] = i;
      else this.#hasShared = true;
      firsts[i - start] = table[slot]! - start;
    }
    if (this.#hasShared) this.#findBest(start, end);
  }

  #grow(atLeast: number): void {
    let size = this.#table.length;
    while (size < atLeast) size *= 2;
    this.#table = new Int32Array(size);
    const spans = size / 2;
    this.#firsts = new Int32Array(spans);
    this.#parents = new Int32Array(spans);
    this.#callers = new Int32Array(spans);
    this.#answered = new Uint8Array(spans);
  }

  /** Where an id is in the table, or would be. */
  #slotOf(first: number, second: number): number {
    const { spanWords } = this.#rows;
    const table = this.#table;
    let slot = hashTwo(first, second) & this.#mask;
    for (let other = table[slot]!; other >= 0; other = table[slot]!) {
      if (spanWords[other * 2] === first && spanWords[other * 2 + 1] === second) break;
      slot = (slot + 1) & this.#mask;
    }
    return slot;
  }

  /** Finds the best spans with each id. */
  #findBest(start: number, end: number): void {
    const { kind } = this.#rows;
    const words = (end - start) * BEST_WORDS;
    if (words > this.#best.length) this.#best = new Int32Array(words);
    this.#best.fill(-1, 0, words);
    for (let i = start; i < end; i++) {
      const at = this.#firsts[i - start]! * BEST_WORDS;
      this.#offer(i, at);
      if (kind[i] === SpanKind.client || kind[i] === SpanKind.producer) {
        this.#offer(i, at + BEST_CLIENT);
      }
    }
  }

  /** Puts a span among the best two at a place, if it is one of them. */
  #offer(i: number, at: number): void {
    const best = this.#best;
    if (best[at]! < 0 || this.#isBetter(i, best[at]!)) {
      best[at + 1] = best[at]!;
      best[at] = i;
    } else if (best[at + 1]! < 0 || this.#isBetter(i, best[at + 1]!)) {
      best[at + 1] = i;
    }
  }

  /** The parent of a span, or -1. */
  #parent(i: number): number {
    const { spanWords, parentWords, kind } = this.#rows;
    if (this.#hasShared && (kind[i] === SpanKind.server || kind[i] === SpanKind.consumer)) {
      const client = this.#holder(i, spanWords[i * 2]!, spanWords[i * 2 + 1]!, BEST_CLIENT);
      if (client >= 0) return client;
    }
    const first = parentWords[i * 2]!;
    const second = parentWords[i * 2 + 1]!;
    if (first === 0 && second === 0) return -1;
    return this.#holder(i, first, second, BEST);
  }

  /** The best span with this id, but not `i` itself; -1 when there is none. */
  #holder(i: number, first: number, second: number, which: number): number {
    const found = this.#table[this.#slotOf(first, second)]!;
    if (found < 0) return -1;
    if (!this.#hasShared) return found === i ? -1 : found;
    const at = (found - this.#start) * BEST_WORDS + which;
    const best = this.#best[at]!;
    return best === i ? this.#best[at + 1]! : best;
  }

  /** Of spans with one id: the one that serves, then the earliest, then by what else tells them apart here. */
  #isBetter(a: number, b: number): boolean {
    const { kind, startHi, startLo, service, parentWords } = this.#rows;
    const serves = (i: number): number =>
      kind[i] === SpanKind.server || kind[i] === SpanKind.consumer ? 0 : 1;
    const order =
      serves(a) - serves(b) ||
      startHi[a]! - startHi[b]! ||
      startLo[a]! - startLo[b]! ||
      kind[a]! - kind[b]! ||
      parentWords[a * 2]! - parentWords[b * 2]! ||
      parentWords[a * 2 + 1]! - parentWords[b * 2 + 1]!;
    if (order !== 0) return order < 0;
    return this.#texts[service[a]!]! < this.#texts[service[b]!]!;
  }
}
