// SPDX-License-Identifier: Apache-2.0
import { canonicalText } from '@spoor/core/query/canonical-text.ts';
import type { RowSet } from '@spoor/core/query/row-set.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import type { BlockReader } from '../block/block-reader.ts';
import type { HeadPart } from '../head/head-part.ts';

/** Memory for what is remembered: two predicates on all groups of 20 million spans, or thousands on few groups. */
const MAX_BYTES = 8 << 20;

/** What a predicate takes beside its text and its rows. */
const PREDICATE_BYTES = 1024;

/** What the first of its rows in a block take, and in a group, beside the words of their set. */
const BLOCK_BYTES = 512;
const GROUP_BYTES = 48;
const SET_BYTES = 240;

/** A predicate that takes longer to say is not remembered: the text alone would be large. */
const MAX_TEXT = 4096;

/** What has rows in groups; a batch of the head counts as a group of its part. */
type RowSource = BlockReader | HeadPart;

/**
 * Which rows of groups meet predicates, kept from question to question: a group does not change, and the same is asked again, for the
 * next page, in another window, in another order. The predicates that were used last are kept.
 */
export class MatchedRows {
  readonly #maxBytes: number;
  /** By the text of the predicate; what was used last stands last. */
  readonly #known = new Map<string, KnownRows>();
  /** A question asks for the same predicate of block after block. */
  readonly #texts = new WeakMap<SpanPredicate, string>();
  /** There may be thousands of predicates: what all of them take is kept count of. */
  readonly #memory: Memory = { bytes: 0 };

  constructor(maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Memory in use, roughly. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  /** What is known of a predicate. Keep it for one question, not longer. */
  of(predicate: SpanPredicate): KnownRows {
    let text = this.#texts.get(predicate);
    if (text === undefined) this.#texts.set(predicate, (text = canonicalText(predicate)));
    if (text.length > MAX_TEXT) return new KnownRows({ bytes: 0 }, 0);
    let known = this.#known.get(text);
    if (known === undefined) {
      known = new KnownRows(this.#memory, this.#maxBytes);
      known.add(PREDICATE_BYTES + text.length * 2);
    } else {
      this.#known.delete(text);
    }
    this.#known.set(text, known);
    return known;
  }

  /** Forgets the rows of what is not asked any more. */
  forget(source: RowSource): void {
    for (const known of this.#known.values()) known.forget(source);
  }

  /** Forgets predicates that were not used for the longest time until the rest is no more than allowed. */
  trim(): void {
    for (const [text, known] of this.#known) {
      if (this.bytes <= this.#maxBytes) return;
      known.add(-known.bytes);
      this.#known.delete(text);
    }
  }
}

/** What several predicates take together. */
interface Memory {
  bytes: number;
}

/** Rows of a block that meet a predicate, by group. */
interface BlockRows {
  bytes: number;
  /** Whether there may be one, as the dictionaries of the whole block tell, where that was asked. */
  mayBeIn: boolean | undefined;
  /** Null where no row does. */
  readonly sets: Map<number, RowSet | null>;
  /** The most rows of a trace, where that was asked. */
  readonly most: Map<number, number>;
  /** The same of all groups, as found out with so many sets. */
  mostInAll: { readonly sets: number; readonly most: number } | undefined;
}

/** Rows that meet one predicate. A block in which none were looked for takes nothing. */
export class KnownRows {
  #bytes = 0;
  #changes = 0;
  readonly #memory: Memory;
  readonly #maxBytes: number;
  readonly #blocks = new WeakMap<RowSource, BlockRows>();

  /**
   * @param memory which it is a part of
   * @param maxBytes with which it is full
   */
  constructor(memory: Memory, maxBytes: number) {
    this.#memory = memory;
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How often it came to know of a group: what was worked out from it is as good as it can be until that changes. */
  get changes(): number {
    return this.#changes;
  }

  /** Takes so much more, or less. */
  add(bytes: number): void {
    this.#bytes += bytes;
    this.#memory.bytes += bytes;
  }

  /**
   * Those of a group; undefined where there are none.
   * @param select finds out
   */
  inGroup(source: RowSource, g: number, select: () => RowSet | undefined): RowSet | undefined {
    const known = this.#blocks.get(source)?.sets.get(g);
    if (known !== undefined) return known ?? undefined;
    const found = select();
    this.#keep(source, g, found ?? null);
    return found;
  }

  /**
   * Whether a block may have some.
   * @param find finds out
   */
  mayBeIn(reader: BlockReader, find: () => boolean): boolean {
    const known = this.#blocks.get(reader)?.mayBeIn;
    if (known !== undefined) return known;
    const found = find();
    const rows = this.#roomFor(reader, 0);
    if (rows !== undefined) rows.mayBeIn = found;
    return found;
  }

  /**
   * No trace of a group has more rows in it that meet the predicate; Infinity where that is not known.
   * @param traceStarts tells the first row of each trace, and the number of rows at the end
   */
  mostIn(reader: BlockReader, g: number, traceStarts: () => Uint32Array): number {
    const rows = this.#blocks.get(reader);
    const set = rows?.sets.get(g);
    if (rows === undefined || set === undefined) return Infinity;
    if (set === null) return 0;
    let most = rows.most.get(g);
    if (most === undefined) {
      const starts = traceStarts();
      most = 0;
      for (let t = 1; t < starts.length; t++) {
        most = Math.max(most, set.count(starts[t - 1]!, starts[t]!));
      }
      rows.most.set(g, most);
    }
    return most;
  }

  /**
   * As {@link mostIn}, of all groups.
   * @param spansIn tells of each group how many spans a trace of it has at most
   */
  mostInAll(
    reader: BlockReader,
    spansIn: () => Float64Array,
    traceStarts: (g: number) => Uint32Array,
  ): number {
    const rows = this.#blocks.get(reader);
    if (rows === undefined) return Infinity;
    if (rows.mostInAll?.sets !== rows.sets.size) {
      const most = spansIn().reduce((greatest, spans, g) => {
        const matching = spans > greatest ? this.mostIn(reader, g, () => traceStarts(g)) : 0;
        return Math.max(greatest, Math.min(spans, matching));
      }, 0);
      rows.mostInAll = { sets: rows.sets.size, most };
    }
    return rows.mostInAll.most;
  }

  /** How many rows `[start, end)` of a group meet the predicate, or more where that is not known. */
  mostOf(reader: BlockReader, g: number, start: number, end: number): number {
    const set = this.#blocks.get(reader)?.sets.get(g);
    return set === undefined ? end - start : (set?.count(start, end) ?? 0);
  }

  forget(source: RowSource): void {
    this.add(-(this.#blocks.get(source)?.bytes ?? 0));
    this.#blocks.delete(source);
  }

  /** Keeps a set while there is room. */
  #keep(source: RowSource, g: number, set: RowSet | null): void {
    const bytes = GROUP_BYTES + (set === null ? 0 : SET_BYTES + set.words.length * 4);
    const rows = this.#roomFor(source, bytes);
    if (rows === undefined) return;
    rows.sets.set(g, set);
    this.#changes++;
  }

  /** What is known of a block, with room for so much more; undefined where there is none. */
  #roomFor(source: RowSource, more: number): BlockRows | undefined {
    const known = this.#blocks.get(source);
    const bytes = more + (known === undefined ? BLOCK_BYTES : 0);
    if (this.#bytes + bytes > this.#maxBytes) return undefined;
    const rows = known ?? {
      bytes: 0,
      mayBeIn: undefined,
      sets: new Map(),
      most: new Map(),
      mostInAll: undefined,
    };
    this.#blocks.set(source, rows);
    rows.bytes += bytes;
    this.add(bytes);
    return rows;
  }
}
