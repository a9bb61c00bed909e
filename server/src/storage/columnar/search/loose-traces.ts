// SPDX-License-Identifier: Apache-2.0
import { alignedWords, grownBytes, wordsOf } from '@spoor/core/model/column-arrays.ts';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { traceIdBytes, type TraceId } from '@spoor/core/model/ids.ts';
import type { HeadBatch } from '../head/head-batch.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { LoosePages, RankedLoose } from './loose-pages.ts';
import { LooseTable } from './loose-table.ts';
import { type BlockPart, LooseTrace } from './loose-trace.ts';
import { hashTraces } from '../block/trace-filter.ts';
import type { TraceRank } from './trace-rank.ts';
import { TraceSummaries } from './trace-summaries.ts';

/** Traces of a block that are looked for in the others at a time, more or less: a few milliseconds among dozens of blocks. */
const SLICE_TRACES = 256;

/**
 * The traces of a tenant that are not in a single block: those with spans in the head, and those that are in several blocks. All
 * others are as the summaries of their block say.
 *
 * It is kept from question to question, and brought up to date with what came since. When that is stopped it goes on from there with
 * the next question.
 */
export class LooseTraces {
  #table = this.#newTable();
  #pages = new LoosePages(this.#table);
  /** Of each block the traces that are loose. */
  readonly #loose = new Map<BlockReader, Uint8Array>();
  /** Blocks of which not all traces were looked for in the others, with the number of the group where that goes on. */
  readonly #unsplit = new Map<BlockReader, number>();
  readonly #head = new Set<HeadBatch>();
  /** Whether batches were let go of before a question told that they are gone: their traces have them as parts still. */
  #hasLetGo = false;
  /** Blocks that were taken over while the head was that of the last question: they may hold what has left it. */
  readonly #aheadOfHead = new Set<BlockReader>();
  /** While it is brought up to date: the columns of a group are read once then. */
  readonly #summaries = new Map<BlockReader, TraceSummaries>();

  /** All of them. */
  *values(): Generator<LooseTrace, void, undefined> {
    for (const number of this.#table.values()) yield new LooseTrace(this.#table, number);
  }

  /** As {@link values}, in pages. */
  get pages(): LoosePages {
    return this.#pages;
  }

  get(id: TraceId): LooseTrace | undefined {
    const number = this.#table.find(alignedWords(traceIdBytes(id)), 0);
    return number < 0 ? undefined : new LooseTrace(this.#table, number);
  }

  /** The trace that a batch has as this one. */
  ofHead({ idWords, traces }: HeadBatch, trace: number): LooseTrace {
    const number = this.#table.find(idWords, traces.firstRowOf(trace) * 4);
    return new LooseTrace(this.#table, number);
  }

  /** Some of them, best first. */
  ranked(numbers: ReadonlySet<number>, rank: TraceRank): RankedLoose {
    return new RankedLoose(this.#table, Uint32Array.from(numbers), rank);
  }

  /** Of a block, 1 for each trace that is loose. */
  looseOf(reader: BlockReader): Uint8Array {
    return this.#loose.get(reader)!;
  }

  /** Takes over the blocks that are there, for what asks nothing of the head: that stays as the last {@link update} saw it. */
  prepare(readers: readonly BlockReader[], checkCancelled: () => void): void {
    for (const reader of readers) if (!this.#loose.has(reader)) this.#aheadOfHead.add(reader);
    this.#takeOver(undefined, readers, [], checkCancelled);
  }

  /** Takes over what a question sees. */
  update(
    head: readonly HeadBatch[],
    readers: readonly BlockReader[],
    checkCancelled: () => void,
  ): void {
    const aheadOfHead = readers.filter((reader) => this.#aheadOfHead.has(reader));
    this.#aheadOfHead.clear();
    this.#takeOver(head, readers, aheadOfHead, checkCancelled);
  }

  /**
   * Lets go of batches that no question will see again: all is as it was, so that the next {@link update} finds that they are gone, but
   * they are not held any more, and neither are traces that nothing else has. To be called between two questions.
   */
  forget(gone: ReadonlySet<HeadBatch>): void {
    if (this.#head.isDisjointFrom(gone)) return;
    for (const batch of gone) this.#head.delete(batch);
    this.#hasLetGo = true;
    for (const number of this.#table.letGo(gone)) this.#remove(number);
  }

  /**
   * @param head undefined where it stays as it is known
   * @param aheadOfHead known blocks that may hold what the head has no more
   */
  #takeOver(
    head: readonly HeadBatch[] | undefined,
    readers: readonly BlockReader[],
    aheadOfHead: readonly BlockReader[],
    checkCancelled: () => void,
  ): void {
    try {
      const changed = this.#removeGone(head && new Set(head), new Set(readers));
      const added = readers.filter((reader) => !this.#loose.has(reader));
      for (const reader of added) {
        this.#loose.set(reader, new Uint8Array(reader.footer.traces));
        this.#unsplit.set(reader, 0);
      }
      // What lost a part may be in a block that took the place of others, and is not marked there.
      this.#addFrom([...aheadOfHead, ...added], changed);
      for (const number of changed) this.#removeWhole(number);
      for (const [reader, group] of this.#unsplit) {
        this.#addSplit(reader, group, readers, checkCancelled);
        this.#unsplit.delete(reader);
      }
      for (const batch of head ?? []) {
        if (this.#head.has(batch)) continue;
        checkCancelled();
        this.#addHead(batch, readers);
      }
    } catch (error) {
      // Stopped between two steps it is right as far as it goes; what failed within one may have left half of it.
      if (!(error instanceof SpoorError) || error.code !== 'cancelled') this.#clear();
      throw error;
    } finally {
      this.#summaries.clear();
    }
  }

  /** Takes back what is there no more. @returns traces that had a part of it */
  #removeGone(
    head: ReadonlySet<HeadBatch> | undefined,
    readers: ReadonlySet<BlockReader>,
  ): number[] {
    const isHeadWhole = head === undefined || (!this.#hasLetGo && this.#head.isSubsetOf(head));
    if (isHeadWhole && new Set(this.#loose.keys()).isSubsetOf(readers)) return [];
    for (const reader of this.#loose.keys()) {
      if (readers.has(reader)) continue;
      this.#loose.delete(reader);
      this.#unsplit.delete(reader);
      this.#aheadOfHead.delete(reader);
    }
    const changed = this.#table.keepOnly(readers, head);
    if (head !== undefined) {
      for (const batch of this.#head) if (!head.has(batch)) this.#head.delete(batch);
      this.#hasLetGo = false;
    }
    for (const number of changed) {
      this.#pages.remove(number);
      this.#pages.add(number);
    }
    return changed;
  }

  /** Forgets a trace that is in a single block now, or nowhere. */
  #removeWhole(number: number): void {
    if (this.#table.isInHead(number)) return;
    const blocks = this.#table.blocksOf(number);
    if (blocks.length > 1) return;
    for (const part of blocks) this.#loose.get(part.reader)![part.trace] = 0;
    this.#remove(number);
  }

  #remove(number: number): void {
    this.#pages.remove(number);
    this.#table.remove(number);
  }

  #newTable(): LooseTable {
    return new LooseTable(({ reader, trace }) => {
      let summaries = this.#summaries.get(reader);
      if (summaries === undefined) {
        summaries = new TraceSummaries(reader, { isKept: false });
        this.#summaries.set(reader, summaries);
      }
      const g = reader.groupOf(trace);
      return { columns: summaries.group(g), t: trace - reader.firstTraces[g]! };
    });
  }

  #clear(): void {
    this.#table = this.#newTable();
    this.#pages = new LoosePages(this.#table);
    this.#loose.clear();
    this.#unsplit.clear();
    this.#head.clear();
    this.#hasLetGo = false;
    this.#aheadOfHead.clear();
  }

  /** Takes the traces of a new block, from a group on, of which another one had rows when it was written. */
  #addSplit(
    reader: BlockReader,
    group: number,
    readers: readonly BlockReader[],
    checkCancelled: () => void,
  ): void {
    const { groups } = reader.footer;
    const seenBefore = reader.seenBefore();
    for (let g = group; g < groups.length;) {
      checkCancelled();
      const split = new Ids();
      const traces: number[] = [];
      for (; g < groups.length && traces.length < SLICE_TRACES; g++) {
        let ids: Uint8Array | undefined;
        for (let trace = reader.firstTraces[g]!; trace < reader.firstTraces[g + 1]!; trace++) {
          if (seenBefore[trace] !== 1) continue;
          ids ??= reader.group(g).traceIds;
          split.add(ids, (trace - reader.firstTraces[g]!) * 16);
          traces.push(trace);
        }
      }
      const { words } = split;
      for (const { found, part } of findParts(split, readers, reader)) {
        const number = this.#numberOf(words, found * 4);
        this.#addBlock(number, { reader, trace: traces[found]! });
        this.#addBlock(number, part);
      }
      this.#unsplit.set(reader, g);
    }
  }

  /** Takes the traces of a new batch. */
  #addHead(head: HeadBatch, readers: readonly BlockReader[]): void {
    this.#head.add(head);
    const { traces, idWords } = head;
    const fresh: number[] = [];
    for (let trace = 0; trace < traces.count; trace++) {
      const number = this.#numberOf(idWords, traces.firstRowOf(trace) * 4);
      if (!this.#table.isInHead(number)) fresh.push(number);
      this.#table.addHead(number, { head, trace });
      this.#pages.grow(number);
    }
    this.#addFrom(readers, fresh);
  }

  /** Adds what blocks have of traces. */
  #addFrom(readers: readonly BlockReader[], numbers: readonly number[]): void {
    const ids = new Ids(numbers.length);
    for (const number of numbers) ids.add(this.#table.idBytes(number), 0);
    for (const { found, part } of findParts(ids, readers)) this.#addBlock(numbers[found]!, part);
  }

  #addBlock(number: number, part: BlockPart): void {
    const mask = this.#loose.get(part.reader)!;
    if (mask[part.trace] === 1) return;
    mask[part.trace] = 1;
    this.#table.addBlock(number, part);
    this.#pages.grow(number);
  }

  /** Number of the trace with the id at `words[at, at + 4)`, which is there then. */
  #numberOf(words: Uint32Array, at: number): number {
    const known = this.#table.find(words, at);
    if (known >= 0) return known;
    const number = this.#table.add(words, at);
    this.#pages.add(number);
    return number;
  }
}

/** Trace ids, one after the other. */
class Ids {
  count = 0;
  #bytes: Uint8Array<ArrayBuffer>;

  /** @param room for so many at first */
  constructor(room = SLICE_TRACES) {
    this.#bytes = new Uint8Array(room * 16);
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.count * 16);
  }
  get words(): Uint32Array<ArrayBuffer> {
    return wordsOf(this.bytes);
  }

  /** Adds the id at `bytes[at, at + 16)`. */
  add(bytes: Uint8Array, at: number): void {
    if (this.count * 16 === this.#bytes.length) {
      this.#bytes = grownBytes(this.#bytes, this.#bytes.length * 2 + 16);
    }
    this.#bytes.set(bytes.subarray(at, at + 16), this.count++ * 16);
  }
}

/** What blocks have of traces. */
function* findParts(
  { bytes, count }: Ids,
  readers: readonly BlockReader[],
  except?: BlockReader,
): Generator<{ found: number; part: BlockPart }, void> {
  if (count === 0) return;
  const hashes = hashTraces(bytes, count, (i) => i * 16);
  for (const reader of readers) {
    if (reader === except) continue;
    for (const found of reader.filter.select(hashes)) {
      const place = reader.findTraceNumber(bytes.subarray(found * 16, found * 16 + 16));
      if (place >= 0) yield { found, part: { reader, trace: place } };
    }
  }
}
