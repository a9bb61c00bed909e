// SPDX-License-Identifier: Apache-2.0
import { hashTwo } from '#model/word-hash.ts';
import type { SpanRows } from './span-rows.ts';

/** `SpanKind` numbers. */
const SERVER = 2;
const CLIENT = 3;
const PRODUCER = 4;
const CONSUMER = 5;

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
  #table = new Int32Array(64);
  #mask = 63;
  /** Whether two spans of the trace have one id. */
  #hasShared = false;
  #parents = new Int32Array(64);
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
    const answered = this.#answered.fill(0, 0, end - start);
    for (let i = start; i < end; i++) parents[i - start] = this.#parent(i);
    const { service, kind } = rows;
    for (let i = start; i < end; i++) {
      const parent = parents[i - start]!;
      if (parent < 0) continue;
      if (kind[i]! >= SERVER || service[i] !== service[parent]) this.#answer(parent);
      const own = service[i]!;
      if (own === 0) continue;
      let caller = parent;
      // Loops are possible among spans without service.
      for (let steps = end - start; caller >= 0 && service[caller] === 0; steps--) {
        caller = steps === 0 ? -1 : parents[caller - start]!;
      }
      if (caller < 0 || service[caller] === own) continue;
      this.callee.push(i);
      this.caller.push(caller);
    }
    for (let i = start; i < end; i++) {
      if (answered[i - start] === 1 || service[i] === 0) continue;
      if (kind[i] === CLIENT || kind[i] === PRODUCER) this.leaves.push(i);
    }
  }

  /** Notes that a span stands for what `parent` called, and what those called that share its id. */
  #answer(parent: number): void {
    this.#answered[parent - this.#start] = 1;
    if (!this.#hasShared) return;
    const { spanWords } = this.#rows;
    const first = spanWords[parent * 2]!;
    const second = spanWords[parent * 2 + 1]!;
    let slot = hashTwo(first, second) & this.#mask;
    for (let other = this.#table[slot]!; other >= 0; other = this.#table[slot]!) {
      slot = (slot + 1) & this.#mask;
      if (spanWords[other * 2] === first && spanWords[other * 2 + 1] === second) {
        this.#answered[other - this.#start] = 1;
      }
    }
  }

  /** Puts the ids of the trace into the table. */
  #index(start: number, end: number): void {
    const rows = this.#rows;
    const { spanWords } = rows;
    const count = end - start;
    if (count * 2 > this.#table.length) {
      let size = this.#table.length;
      while (size < count * 2) size *= 2;
      this.#table = new Int32Array(size);
      this.#parents = new Int32Array(size);
      this.#answered = new Uint8Array(size);
    }
    // Only as much of the table as this trace needs: most are small.
    let size = 64;
    while (size < count * 2) size *= 2;
    const mask = (this.#mask = size - 1);
    const table = this.#table.fill(-1, 0, size);
    this.#hasShared = false;
    for (let i = start; i < end; i++) {
      const first = spanWords[i * 2]!;
      const second = spanWords[i * 2 + 1]!;
      let slot = hashTwo(first, second) & mask;
      for (let other = table[slot]!; other >= 0; other = table[slot]!) {
        if (spanWords[other * 2] === first && spanWords[other * 2 + 1] === second) {
          this.#hasShared = true;
        }
        slot = (slot + 1) & mask;
      }
      table[slot] = i;
    }
  }

  /** The parent of a span, or -1. */
  #parent(i: number): number {
    const { spanWords, parentWords, kind } = this.#rows;
    if (this.#hasShared && (kind[i] === SERVER || kind[i] === CONSUMER)) {
      const client = this.#holder(i, spanWords[i * 2]!, spanWords[i * 2 + 1]!, true);
      if (client >= 0) return client;
    }
    const first = parentWords[i * 2]!;
    const second = parentWords[i * 2 + 1]!;
    if (first === 0 && second === 0) return -1;
    return this.#holder(i, first, second, false);
  }

  /** The best span with this id, but not `i` itself; -1 when there is none. */
  #holder(i: number, first: number, second: number, isClient: boolean): number {
    const { spanWords, kind } = this.#rows;
    const table = this.#table;
    const mask = this.#mask;
    let best = -1;
    let slot = hashTwo(first, second) & mask;
    for (let other = table[slot]!; other >= 0; other = table[slot]!) {
      slot = (slot + 1) & mask;
      if (spanWords[other * 2] !== first || spanWords[other * 2 + 1] !== second) continue;
      if (other === i) continue;
      if (isClient && kind[other] !== CLIENT && kind[other] !== PRODUCER) continue;
      if (!this.#hasShared) return other;
      if (best < 0 || this.#isBetter(other, best)) best = other;
    }
    return best;
  }

  /** Of spans with one id: the one that serves, then the earliest, then by what else tells them apart here. */
  #isBetter(a: number, b: number): boolean {
    const { kind, startHi, startLo, service, parentWords } = this.#rows;
    const serves = (i: number): number => (kind[i] === SERVER || kind[i] === CONSUMER ? 0 : 1);
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
