// SPDX-License-Identifier: Apache-2.0
import { grownWords } from '@spoor/core/model/column-arrays.ts';
import { formatTraceId, type TraceId } from '@spoor/core/model/ids.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { roughLongestAt, type TraceColumns } from '../block/trace-columns.ts';
import { type HeadBatch, roughNanos } from '../head/head-batch.ts';
import { TraceNumbers } from '../head/trace-numbers.ts';
import type { BatchPart, BlockPart } from './loose-trace.ts';

/** Words of a trace: earliest start and latest end in ns, counts, flags, first and last part, part with the root, page and place there. */
const START_LO = 0;
const START_HI = 1;
const END_LO = 2;
const END_HI = 3;
const SPANS = 4;
const ERRORS = 5;
const FLAGS = 6;
const FIRST_PART = 7;
const LAST_PART = 8;
const ROOT_PART = 9;
const PAGE = 10;
const PLACE = 11;
const TRACE_WORDS = 12;

const MAY_REPEAT = 1;
const IS_IN_HEAD = 2;
const HAS_SECOND_ROOT = 4;

/** Words of a part: its source, the number of the trace there, the next part of the trace. */
const SOURCE = 0;
const NUMBER = 1;
const NEXT = 2;
const PART_WORDS = 3;

/** No part. */
const NONE = 0xffffffff;

/** In a source's word: a batch of the head, and not a block. */
const BATCH_BIT = 1;

/** Numbers things, and gives numbers again that nothing has any more. */
class Numbered<Thing> {
  readonly #numbers = new Map<Thing, number>();
  readonly #things: (Thing | undefined)[] = [];
  readonly #free: number[] = [];

  numberOf(thing: Thing): number {
    let number = this.#numbers.get(thing);
    if (number === undefined) {
      number = this.#free.pop() ?? this.#things.length;
      this.#things[number] = thing;
      this.#numbers.set(thing, number);
    }
    return number;
  }

  /** Undefined where it was let go of. */
  at(number: number): Thing | undefined {
    return this.#things[number];
  }

  /** Lets go of a thing; its number stays taken. */
  letGo(thing: Thing): void {
    const number = this.#numbers.get(thing);
    if (number !== undefined) this.#things[number] = undefined;
    this.#numbers.delete(thing);
  }

  /** By number, 1 for each of these things. */
  marked(things: ReadonlySet<Thing>): Uint8Array {
    return Uint8Array.from(this.#things, (thing) =>
      thing !== undefined && things.has(thing) ? 1 : 0,
    );
  }

  /** Frees the numbers of all but the marked things. */
  keepOnly(marks: Uint8Array): void {
    this.#free.length = 0;
    marks.forEach((mark, number) => {
      if (mark === 1) return;
      const thing = this.#things[number];
      if (thing !== undefined) this.letGo(thing);
      this.#free.push(number);
    });
  }
}

/**
 * Loose traces by number, with their parts, in flat arrays: there may be millions of them. A trace takes some 70 bytes, and 12 more for
 * each part. The number of one that is removed is given again.
 */
export class LooseTable {
  readonly #numbers = new TraceNumbers();
  #words = new Uint32Array(64 * TRACE_WORDS);
  #longest = new Float64Array(64);
  #parts = new Uint32Array(128 * PART_WORDS);
  #partCount = 0;
  #freePart = NONE;
  readonly #readers = new Numbered<BlockReader>();
  readonly #batches = new Numbered<HeadBatch>();
  readonly #columnsOf: (part: BlockPart) => { columns: TraceColumns; t: number };

  /** @param columnsOf columns of the group that a part in a block is in, and its number there */
  constructor(columnsOf: (part: BlockPart) => { columns: TraceColumns; t: number }) {
    this.#columnsOf = columnsOf;
  }

  /** Number of the trace with the id at `words[at, at + 4)`, or -1. */
  find(words: Uint32Array, at: number): number {
    return this.#numbers.find(words, at);
  }

  /** Adds the trace with the id at `words[at, at + 4)`, which is not there yet, without parts. @returns its number */
  add(words: Uint32Array, at: number): number {
    const number = this.#numbers.add(words, at);
    if (number === this.#longest.length) this.#grow();
    this.#clear(number);
    return number;
  }

  remove(number: number): void {
    for (const part of this.#partsOf(number)) this.#givePart(part);
    this.#clear(number);
    this.#numbers.remove(number);
  }

  /** Numbers of all traces that have a part. */
  *values(): Generator<number, void, undefined> {
    const { count } = this.#numbers;
    for (let number = 0; number < count; number++) {
      if (this.#words[number * TRACE_WORDS + FIRST_PART] !== NONE) yield number;
    }
  }

  idOf(number: number): TraceId {
    return formatTraceId(this.idBytes(number), 0);
  }

  /** Its 16 bytes; not a copy. */
  idBytes(number: number): Uint8Array {
    const { buffer, byteOffset } = this.#numbers.words;
    return new Uint8Array(buffer, byteOffset + number * 16, 16);
  }

  /** Order of two traces by their ids. */
  compareIds(a: number, b: number): number {
    return this.#numbers.compare(a, b);
  }

  /** Earliest start, ns; exact, as copies of spans do not change it. */
  startOf(number: number): bigint {
    return this.#wide(number, START_LO);
  }

  /** Latest end, ns; exact as well. */
  endOf(number: number): bigint {
    return this.#wide(number, END_LO);
  }

  /** The double that is nearest to the start. */
  roughStartOf(number: number): number {
    const at = number * TRACE_WORDS;
    return roughNanos(this.#words[at + START_HI]!, this.#words[at + START_LO]!);
  }

  /** The double that is nearest to what is between start and end. */
  roughDurationOf(number: number): number {
    const at = number * TRACE_WORDS;
    const words = this.#words;
    return roughNanos(
      words[at + END_HI]! - words[at + START_HI]!,
      words[at + END_LO]! - words[at + START_LO]!,
    );
  }

  /** Duration of the longest span, as of {@link roughLongestAt}. */
  longestOf(number: number): number {
    return this.#longest[number]!;
  }

  /** Spans; copies count as often as they are there. */
  spansOf(number: number): number {
    return this.#words[number * TRACE_WORDS + SPANS]!;
  }

  /** Spans with status ERROR; as {@link spansOf}. */
  errorsOf(number: number): number {
    return this.#words[number * TRACE_WORDS + ERRORS]!;
  }

  /** Whether its counts may count copies of spans. */
  mayRepeat(number: number): boolean {
    return this.#hasFlag(number, MAY_REPEAT);
  }

  /** Whether it has or had a part in the head. */
  isInHead(number: number): boolean {
    return this.#hasFlag(number, IS_IN_HEAD);
  }

  /** Whether several parts in blocks have a root. */
  hasSecondRoot(number: number): boolean {
    return this.#hasFlag(number, HAS_SECOND_ROOT);
  }

  /** The part in a block that has a root; undefined where none has. */
  rootOf(number: number): BlockPart | undefined {
    const part = this.#words[number * TRACE_WORDS + ROOT_PART]!;
    return part === NONE ? undefined : this.#blockOf(part);
  }

  /** Where it stands among the others: {@link LoosePages} sets that. */
  pageOf(number: number): number {
    return this.#words[number * TRACE_WORDS + PAGE]!;
  }
  placeOf(number: number): number {
    return this.#words[number * TRACE_WORDS + PLACE]!;
  }
  setPlace(number: number, page: number, place: number): void {
    this.#words[number * TRACE_WORDS + PAGE] = page;
    this.#words[number * TRACE_WORDS + PLACE] = place;
  }

  /** Its parts in blocks, in the order in which they came. */
  blocksOf(number: number): BlockPart[] {
    return this.#partsOf(number)
      .map((part) => this.#blockOf(part))
      .filter((part) => part !== undefined);
  }

  /** Its parts in the head, in the order in which they came, but for those in batches that were let go of. */
  headOf(number: number): BatchPart[] {
    return this.#partsOf(number)
      .map((part) => this.#batchOf(part))
      .filter((part) => part !== undefined);
  }

  addBlock(number: number, { reader, trace }: BlockPart): void {
    this.#count(number, this.#addPart(number, this.#readers.numberOf(reader) << 1, trace));
  }

  addHead(number: number, { head, trace }: BatchPart): void {
    const source = (this.#batches.numberOf(head) << 1) | BATCH_BIT;
    this.#count(number, this.#addPart(number, source, trace));
  }

  /**
   * Lets go of batches: what is known of their traces stays, but nothing is read from the batches any more.
   * @returns traces that have no part anywhere else
   */
  letGo(batches: Iterable<HeadBatch>): number[] {
    for (const batch of batches) this.#batches.letGo(batch);
    const isLost = (part: number): boolean =>
      this.#blockOf(part) === undefined && this.#batchOf(part) === undefined;
    return this.values()
      .filter((number) => this.isInHead(number) && this.#everyPart(number, isLost))
      .toArray();
  }

  /**
   * Takes back the parts in all other blocks and batches.
   * @param batches undefined where none of their parts is to be taken back, nor of what was let go of
   * @returns the traces that had such parts
   */
  keepOnly(
    readers: ReadonlySet<BlockReader>,
    batches: ReadonlySet<HeadBatch> | undefined,
  ): number[] {
    const keptReaders = this.#readers.marked(readers);
    const keptBatches = batches && this.#batches.marked(batches);
    const isKept = (part: number): boolean => {
      const source = this.#parts[part * PART_WORDS + SOURCE]!;
      if ((source & BATCH_BIT) === 0) return keptReaders[source >>> 1] === 1;
      return keptBatches === undefined || keptBatches[source >>> 1] === 1;
    };
    const changed = this.values()
      .filter((number) => !this.#everyPart(number, isKept))
      .toArray();
    for (const number of changed) {
      const parts = this.#partsOf(number);
      this.#clear(number);
      for (const part of parts) {
        if (isKept(part)) {
          this.#link(number, part);
          this.#count(number, part);
        } else this.#givePart(part);
      }
    }
    this.#readers.keepOnly(keptReaders);
    if (keptBatches !== undefined) this.#batches.keepOnly(keptBatches);
    return changed;
  }

  #partsOf(number: number): number[] {
    const parts: number[] = [];
    this.#everyPart(number, (part) => parts.push(part) > 0);
    return parts;
  }

  /** Whether something holds of each part; those behind one of which it does not are not asked. */
  #everyPart(number: number, holds: (part: number) => boolean): boolean {
    let part = this.#words[number * TRACE_WORDS + FIRST_PART]!;
    for (; part !== NONE; part = this.#parts[part * PART_WORDS + NEXT]!) {
      if (!holds(part)) return false;
    }
    return true;
  }

  #blockOf(part: number): BlockPart | undefined {
    const at = part * PART_WORDS;
    const source = this.#parts[at + SOURCE]!;
    const reader = (source & BATCH_BIT) === 0 ? this.#readers.at(source >>> 1) : undefined;
    return reader && { reader, trace: this.#parts[at + NUMBER]! };
  }

  #batchOf(part: number): BatchPart | undefined {
    const at = part * PART_WORDS;
    const source = this.#parts[at + SOURCE]!;
    const head = (source & BATCH_BIT) === 0 ? undefined : this.#batches.at(source >>> 1);
    return head && { head, trace: this.#parts[at + NUMBER]! };
  }

  /** Adds a part as the last one. @returns its number */
  #addPart(number: number, source: number, trace: number): number {
    let part = this.#freePart;
    if (part === NONE) {
      part = this.#partCount++;
      if (this.#partCount * PART_WORDS > this.#parts.length) {
        this.#parts = grownWords(this.#parts, this.#parts.length * 2);
      }
    } else this.#freePart = this.#parts[part * PART_WORDS + NEXT]!;
    this.#parts[part * PART_WORDS + SOURCE] = source;
    this.#parts[part * PART_WORDS + NUMBER] = trace;
    this.#link(number, part);
    return part;
  }

  #link(number: number, part: number): void {
    const at = number * TRACE_WORDS;
    this.#parts[part * PART_WORDS + NEXT] = NONE;
    const last = this.#words[at + LAST_PART]!;
    if (last === NONE) this.#words[at + FIRST_PART] = part;
    else this.#parts[last * PART_WORDS + NEXT] = part;
    this.#words[at + LAST_PART] = part;
  }

  #givePart(part: number): void {
    this.#parts[part * PART_WORDS + NEXT] = this.#freePart;
    this.#freePart = part;
  }

  /** Takes note of what a part tells of its trace: of one in a batch that was let go of that is nothing any more. */
  #count(number: number, part: number): void {
    const at = number * TRACE_WORDS;
    const block = this.#blockOf(part);
    if (block === undefined) {
      this.#words[at + FLAGS]! |= MAY_REPEAT | IS_IN_HEAD;
      const batch = this.#batchOf(part);
      if (batch !== undefined) this.#take(number, batch.head.traces.columns, batch.trace);
      return;
    }
    const { columns, t } = this.#columnsOf(block);
    if (block.reader.footer.version === 1) this.#words[at + FLAGS]! |= MAY_REPEAT;
    if (columns.rootName[t] !== 0) {
      if (this.#words[at + ROOT_PART] === NONE) this.#words[at + ROOT_PART] = part;
      else this.#words[at + FLAGS]! |= HAS_SECOND_ROOT;
    }
    this.#take(number, columns, t);
  }

  #take(number: number, columns: TraceColumns, t: number): void {
    const { start, length, spans, errors } = columns;
    const at = number * TRACE_WORDS;
    const words = this.#words;
    const startLo = start.lo[t]!;
    const startHi = start.hi[t]!;
    if (isLess(startHi, startLo, words[at + START_HI]!, words[at + START_LO]!)) {
      words[at + START_HI] = startHi;
      words[at + START_LO] = startLo;
    }
    // Both are modulo 2^64, and so is the end.
    const sumLo = startLo + length.lo[t]!;
    const endLo = sumLo >>> 0;
    const endHi = (startHi + length.hi[t]! + (sumLo > endLo ? 1 : 0)) >>> 0;
    if (isLess(words[at + END_HI]!, words[at + END_LO]!, endHi, endLo)) {
      words[at + END_HI] = endHi;
      words[at + END_LO] = endLo;
    }
    this.#longest[number] = Math.max(this.#longest[number]!, roughLongestAt(columns, t));
    words[at + SPANS]! += spans[t]!;
    words[at + ERRORS]! += errors[t]!;
  }

  /** Makes a trace one without parts. */
  #clear(number: number): void {
    const at = number * TRACE_WORDS;
    this.#words.fill(0, at + END_LO, at + FIRST_PART);
    this.#words[at + START_LO] = 0xffffffff;
    this.#words[at + START_HI] = 0xffffffff;
    this.#words[at + FIRST_PART] = NONE;
    this.#words[at + LAST_PART] = NONE;
    this.#words[at + ROOT_PART] = NONE;
    this.#longest[number] = -Infinity;
  }

  #hasFlag(number: number, flag: number): boolean {
    return (this.#words[number * TRACE_WORDS + FLAGS]! & flag) !== 0;
  }

  #wide(number: number, lo: number): bigint {
    const at = number * TRACE_WORDS + lo;
    return (BigInt(this.#words[at + 1]!) << 32n) | BigInt(this.#words[at]!);
  }

  #grow(): void {
    const size = this.#longest.length * 2;
    this.#words = grownWords(this.#words, size * TRACE_WORDS);
    const longest = new Float64Array(size);
    longest.set(this.#longest);
    this.#longest = longest;
  }
}

/** Whether a number of two words is less than another one. */
function isLess(hi: number, lo: number, otherHi: number, otherLo: number): boolean {
  return hi < otherHi || (hi === otherHi && lo < otherLo);
}
