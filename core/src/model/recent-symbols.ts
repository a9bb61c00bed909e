// SPDX-License-Identifier: Apache-2.0
import { NOT_HASHED, type SymbolInterner } from './symbol-interner.ts';

/** Codes remembered; a column of more values than these is looked up by hash. */
const SLOTS = 64;

/**
 * The codes last seen in one place, by length and three bytes of the value: telling that a value is the same as one a moment ago
 * costs a fifth of hashing it. A code is only a guess, for which the table is asked: of another table or of another batch it may be
 * wrong, but is never taken for right.
 */
export class RecentSymbols {
  readonly #codes = new Uint32Array(SLOTS);
  #slot = 0;

  /** Code in `symbols` of a text that was {@link put} lately, or -1. `view` is one of all of `bytes`. */
  find(
    symbols: SymbolInterner,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
  ): number {
    const slot =
      end - start < 2
        ? 0
        : (end -
            start +
            bytes[end - 1]! * 3 +
            bytes[end - 2]! * 7 +
            bytes[(start + end) >>> 1]! * 5) &
          (SLOTS - 1);
    this.#slot = slot;
    const code = this.#codes[slot]!;
    if (code >= symbols.count || !symbols.equalsView(code, view, start, end)) return -1;
    return symbols.isText(code) ? code : -1;
  }

  /** As {@link find} for a number or boolean: up to 8 bytes, of which the first tell most. */
  findScalar(symbols: SymbolInterner, bytes: Uint8Array, start: number, end: number): number {
    const slot = end - start < 2 ? 0 : (bytes[start]! + bytes[start + 1]! * 5) & (SLOTS - 1);
    this.#slot = slot;
    const code = this.#codes[slot]!;
    if (code >= symbols.count || symbols.hashes[code] === NOT_HASHED) return -1;
    return symbols.equals(code, bytes, start, end) ? code : -1;
  }

  /** Remembers the code of the value that was just asked for. */
  put(code: number): void {
    this.#codes[this.#slot] = code;
  }
}
