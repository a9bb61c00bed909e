// SPDX-License-Identifier: Apache-2.0
import { canonicalText } from '@spoor/core/query/canonical-text.ts';
import type { RowSet } from '@spoor/core/query/row-set.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import type { BlockReader } from '../block/block-reader.ts';

/** Memory for what is remembered: three predicates on all groups of 20 million spans, or many on few groups. */
const MAX_BYTES = 8 << 20;

/** What a set of rows takes beside its words. */
const SET_BYTES = 128;

/** A predicate that takes longer to say is not remembered: the text alone would be large. */
const MAX_TEXT = 4096;

/**
 * Which rows of groups meet predicates, kept from question to question: a block does not change, and the same is asked again, for the
 * next page, in another window, in another order. The predicates that were used last are kept.
 */
export class MatchedRows {
  readonly #maxBytes: number;
  /** By the text of the predicate; what was used last stands last. */
  readonly #known = new Map<string, KnownRows>();

  constructor(maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Memory in use, roughly. */
  get bytes(): number {
    return this.#known.values().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** What is known of a predicate. Keep it for one question, not longer. */
  of(predicate: SpanPredicate): KnownRows {
    const text = canonicalText(predicate);
    if (text.length > MAX_TEXT) return new KnownRows(0);
    const known = this.#known.get(text) ?? new KnownRows(this.#maxBytes);
    this.#known.delete(text);
    this.#known.set(text, known);
    return known;
  }

  /** Forgets predicates that were not used for the longest time until the rest is no more than allowed. */
  trim(): void {
    let { bytes } = this;
    for (const [text, known] of this.#known) {
      if (bytes <= this.#maxBytes) return;
      bytes -= known.bytes;
      this.#known.delete(text);
    }
  }
}

/** Rows that meet one predicate. */
export class KnownRows {
  bytes = 0;
  readonly #maxBytes: number;
  readonly #blocks = new WeakMap<BlockReader, BlockRows>();

  /** @param maxBytes with which it is full */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  of(reader: BlockReader): BlockRows {
    let rows = this.#blocks.get(reader);
    if (rows === undefined) this.#blocks.set(reader, (rows = new BlockRows(this)));
    return rows;
  }

  /** Whether so many bytes more may be used; they are, then. */
  take(bytes: number): boolean {
    if (this.bytes + bytes > this.#maxBytes) return false;
    this.bytes += bytes;
    return true;
  }
}

/** Rows of a block that meet a predicate, by group. */
export class BlockRows {
  readonly #all: KnownRows;
  /** Null where no row does. */
  readonly #sets: (RowSet | null | undefined)[] = [];
  readonly #most: (number | undefined)[] = [];

  constructor(all: KnownRows) {
    this.#all = all;
  }

  /**
   * Those of a group; undefined where there are none.
   * @param select finds out
   */
  inGroup(g: number, select: () => RowSet | undefined): RowSet | undefined {
    const known = this.#sets[g];
    if (known !== undefined) return known ?? undefined;
    const found = select();
    if (this.#all.take(found === undefined ? 8 : found.words.length * 4 + SET_BYTES)) {
      this.#sets[g] = found ?? null;
    }
    return found;
  }

  /**
   * No trace of a group has more rows in it that meet the predicate; Infinity where that is not known.
   * @param traceStarts tells the first row of each trace, and the number of rows at the end
   */
  mostIn(g: number, traceStarts: () => Uint32Array): number {
    const set = this.#sets[g];
    if (set === undefined) return Infinity;
    if (set === null) return 0;
    let most = this.#most[g];
    if (most === undefined) {
      const starts = traceStarts();
      most = 0;
      for (let t = 1; t < starts.length; t++) {
        most = Math.max(most, set.count(starts[t - 1]!, starts[t]!));
      }
      this.#most[g] = most;
    }
    return most;
  }
}
