// SPDX-License-Identifier: Apache-2.0
import type { PagedValues, SymbolTable } from '#model/span-columns.ts';
import { SymbolInterner } from '#model/symbol-interner.ts';

/** Which entries of a symbol table pass a test. */
export interface Verdicts {
  readonly count: number;
  /** 1 for each entry that passes; empty where none does and that was known beforehand. */
  readonly passes: Uint8Array;
  /** How many pass. */
  readonly passing: number;
}

/** What is known of the bytes of values that pass a test. */
interface KnownBytes {
  /** The one value that may. */
  readonly only: Uint8Array | undefined;
  /** Bytes that each of them has in it. */
  readonly part: Uint8Array | undefined;
  /** Others, in which letters of ASCII may be small or capital. */
  readonly parts?: readonly Uint8Array[] | undefined;
}

/** Symbols whose verdict is kept by content; resources and scopes are few, and others only cost the test again. */
const MAX_REMEMBERED = 1024;

/**
 * Tests each entry of a symbol table once: the verdicts are kept for as long as the table lives, so that row groups of one
 * block share them. Optionally verdicts are also kept by content, for symbols that every batch repeats.
 */
export class SymbolVerdicts {
  readonly #test: (bytes: Uint8Array, start: number, end: number) => boolean;
  readonly #byTable = new WeakMap<SymbolTable | PagedValues, Verdicts>();
  readonly #remembered: SymbolInterner | undefined;
  readonly #rememberedPasses: number[] = [];

  constructor(
    test: (bytes: Uint8Array, start: number, end: number) => boolean,
    options: { byContent?: boolean } = {},
  ) {
    this.#test = test;
    this.#remembered = options.byContent === true ? new SymbolInterner(64, 4096) : undefined;
  }

  of(table: SymbolTable): Verdicts {
    const known = this.#byTable.get(table);
    const { count } = table;
    // The table of a batch that still grows has more entries each time.
    if (known?.count === count) return known;
    const { bytes, offsets } = table;
    const passes = new Uint8Array(count);
    let passing = 0;
    for (let code = 0; code < count; code++) {
      if (this.#passes(bytes, offsets[code]!, offsets[code + 1]!)) {
        passes[code] = 1;
        passing++;
      }
    }
    const verdicts = { count, passes, passing };
    this.#byTable.set(table, verdicts);
    return verdicts;
  }

  /**
   * As {@link of}, page by page.
   * @param known what is known of values that pass
   * @param checkpoint called after each page; what it throws ends the work
   */
  ofPages(
    values: PagedValues,
    { only, part, parts }: KnownBytes,
    checkpoint: () => void,
  ): Verdicts {
    const known = this.#byTable.get(values);
    if (known !== undefined) return known;
    const { count } = values;
    if (parts !== undefined && values.mayHaveInside?.(parts) === false) {
      const none = { count, passes: new Uint8Array(0), passing: 0 };
      this.#byTable.set(values, none);
      return none;
    }
    const passes = new Uint8Array(count);
    let passing = 0;
    if (only !== undefined) {
      const entry = values.find(only);
      if (entry >= 0) passing = passes[entry] = 1;
    } else if (part !== undefined) {
      for (const { first, table, entries } of values.pagesWith(part)) {
        const { bytes, offsets } = table;
        for (const entry of entries) {
          if (!this.#passes(bytes, offsets[entry]!, offsets[entry + 1]!)) continue;
          passes[first + entry] = 1;
          passing++;
        }
        checkpoint();
      }
    } else {
      let code = 0;
      for (const { count: entries, offsets, bytes } of values.pages()) {
        for (let i = 0; i < entries; i++, code++) {
          if (!this.#passes(bytes, offsets[i]!, offsets[i + 1]!)) continue;
          passes[code] = 1;
          passing++;
        }
        checkpoint();
      }
    }
    const verdicts = { count, passes, passing };
    this.#byTable.set(values, verdicts);
    return verdicts;
  }

  #passes(bytes: Uint8Array, start: number, end: number): boolean {
    const remembered = this.#remembered;
    if (remembered === undefined) return this.#test(bytes, start, end);
    const known = remembered.lookup(bytes, start, end);
    if (known >= 0) return this.#rememberedPasses[known] === 1;
    const passes = this.#test(bytes, start, end);
    if (remembered.count < MAX_REMEMBERED) {
      this.#rememberedPasses[remembered.intern(bytes, start, end)] = passes ? 1 : 0;
    }
    return passes;
  }
}
