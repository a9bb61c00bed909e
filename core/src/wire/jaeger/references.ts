// SPDX-License-Identifier: Apache-2.0
import { wordsOf } from '#model/column-arrays.ts';
import { checkLinks } from '#model/span-limits.ts';
import { equalBytes } from '#model/symbol-interner.ts';

/** How a reference relates two spans; the numbers of both Thrift and protobuf. */
export const RefType = { childOf: 0, followsFrom: 1 } as const;

/** Bytes of a trace id and a span id. */
const ENTRY_BYTES = 24;

/** Room for so many is kept from span to span; hostile spans with more give the rest back. */
const MAX_IDLE_ENTRIES = 1024;
const FIRST_ENTRIES = 8;

/** The references of the span under way. What they mean depends on its parent, which may come after them. */
export class JaegerReferences {
  count = 0;
  /** Trace id of reference `i` is `ids[24 * i, 24 * i + 16)`, its span id the 8 bytes after that. */
  ids = new Uint8Array(FIRST_ENTRIES * ENTRY_BYTES);
  types = new Uint32Array(FIRST_ENTRIES);
  /** The ids again, as words of four bytes. */
  #words = wordsOf(this.ids);

  /** Forgets all. */
  clear(): void {
    this.count = 0;
    if (this.types.length <= MAX_IDLE_ENTRIES) return;
    this.#hold(new Uint8Array(FIRST_ENTRIES * ENTRY_BYTES));
    this.types = new Uint32Array(FIRST_ENTRIES);
  }

  /**
   * Adds one.
   * @returns where its ids go, which are zeros so far
   * @throws {SpoorError} too_large: there are too many already
   */
  add(): number {
    checkLinks(this.count);
    if (this.count === this.types.length) this.#grow();
    const at = this.count * ENTRY_BYTES;
    const words = this.#words;
    for (let word = at / 4; word < (at + ENTRY_BYTES) / 4; word++) words[word] = 0;
    this.types[this.count++] = RefType.childOf;
    return at;
  }

  /** Sets the type of the reference added last. */
  setType(type: number): void {
    this.types[this.count - 1] = type;
  }

  /** Whether a reference is to the trace whose id is `traceId[at, at + 16)`. */
  isOfTrace(index: number, traceId: Uint8Array, at: number): boolean {
    return equalBytes(this.ids, index * ENTRY_BYTES, traceId, at, 16);
  }

  /** Whether its span id is `spanId[at, at + 8)`. */
  isToSpan(index: number, spanId: Uint8Array, at: number): boolean {
    return equalBytes(this.ids, index * ENTRY_BYTES + 16, spanId, at, 8);
  }

  /** Copies its ids. */
  copyTo(index: number, traceId: Uint8Array, link: number, spanId: Uint8Array): void {
    const at = index * ENTRY_BYTES;
    for (let i = 0; i < 16; i++) traceId[link * 16 + i] = this.ids[at + i]!;
    this.copySpanId(index, spanId, link * 8);
  }

  /** Copies its span id to `target[to, to + 8)`. */
  copySpanId(index: number, target: Uint8Array, to: number): void {
    const at = index * ENTRY_BYTES + 16;
    for (let i = 0; i < 8; i++) target[to + i] = this.ids[at + i]!;
  }

  #hold(ids: Uint8Array<ArrayBuffer>): void {
    this.ids = ids;
    this.#words = wordsOf(ids);
  }

  #grow(): void {
    const ids = new Uint8Array(this.ids.length * 2);
    ids.set(this.ids);
    this.#hold(ids);
    const types = new Uint32Array(this.types.length * 2);
    types.set(this.types);
    this.types = types;
  }
}
