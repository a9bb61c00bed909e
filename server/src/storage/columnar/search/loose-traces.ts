// SPDX-License-Identifier: Apache-2.0
import { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { traceIdBytes, type TraceId } from '@spoor/core/model/ids.ts';
import { HeadBatch } from '../head/head-batch.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { LoosePages } from './loose-pages.ts';
import { type BlockPart, LooseTrace } from './loose-trace.ts';
import { hashTraces } from '../block/trace-filter.ts';
import { TraceSummaries } from './trace-summaries.ts';

/** Traces of a block that are looked for in the others at a time, more or less: a few milliseconds among dozens of blocks. */
const SLICE_TRACES = 256;

/** Stands for batches of the head whose memory was let go of before a question told that they are gone. */
const GONE = new HeadBatch(new BatchBuilder(1).finish());

/**
 * The traces of a tenant that are not in a single block: those with spans in the head, and those that are in several blocks. All
 * others are as the summaries of their block say.
 *
 * It is kept from question to question, and brought up to date with what came since. When that is stopped it goes on from there with
 * the next question.
 */
export class LooseTraces {
  readonly #traces = new Map<TraceId, LooseTrace>();
  #pages = new LoosePages();
  /** Of each block the traces that are loose. */
  readonly #loose = new Map<BlockReader, Uint8Array>();
  /** Blocks of which not all traces were looked for in the others, with the number of the group where that goes on. */
  readonly #unsplit = new Map<BlockReader, number>();
  readonly #head = new Set<HeadBatch>();
  /** Blocks that were taken over while the head was that of the last question: they may hold what has left it. */
  readonly #aheadOfHead = new Set<BlockReader>();
  /** While it is brought up to date: the columns of a group are read once then. */
  readonly #summaries = new Map<BlockReader, TraceSummaries>();

  /** All of them. */
  values(): MapIterator<LooseTrace> {
    return this.#traces.values();
  }

  /** As {@link values}, in pages. */
  get pages(): LoosePages {
    return this.#pages;
  }

  get(id: TraceId): LooseTrace | undefined {
    return this.#traces.get(id);
  }

  /** Of a block, 1 for each trace that is loose. */
  looseOf(reader: BlockReader): Uint8Array {
    return this.#loose.get(reader)!;
  }

  /** Takes over the blocks that are there, for what asks nothing of the head: that stays as the last {@link update} saw it. */
  prepare(readers: readonly BlockReader[], checkCancelled: () => void): void {
    for (const reader of readers) if (!this.#loose.has(reader)) this.#aheadOfHead.add(reader);
    this.#takeOver([...this.#head], readers, [], checkCancelled);
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
    this.#head.add(GONE);
    for (const trace of this.#traces.values()) {
      trace.replaceHead(gone, GONE);
      if (trace.blocks.length > 0 || trace.head.some(({ head }) => head !== GONE)) continue;
      this.#traces.delete(trace.id);
      this.#pages.remove(trace);
    }
  }

  /** @param aheadOfHead known blocks that may hold what the head has no more */
  #takeOver(
    head: readonly HeadBatch[],
    readers: readonly BlockReader[],
    aheadOfHead: readonly BlockReader[],
    checkCancelled: () => void,
  ): void {
    try {
      const changed = this.#removeGone(new Set(head), new Set(readers));
      const added = readers.filter((reader) => !this.#loose.has(reader));
      for (const reader of added) {
        this.#loose.set(reader, new Uint8Array(reader.footer.traces));
        this.#unsplit.set(reader, 0);
      }
      // What lost a part may be in a block that took the place of others, and is not marked there.
      const bytes = Buffer.concat(changed.map(traceIdBytes));
      for (const { found, part } of findParts(bytes, [...aheadOfHead, ...added])) {
        this.#addBlock(changed[found]!, part);
      }
      for (const id of changed) this.#removeWhole(id);
      for (const [reader, group] of this.#unsplit) {
        this.#addSplit(reader, group, readers, checkCancelled);
        this.#unsplit.delete(reader);
      }
      for (const batch of head) {
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
  #removeGone(head: ReadonlySet<HeadBatch>, readers: ReadonlySet<BlockReader>): TraceId[] {
    if (this.#head.isSubsetOf(head) && new Set(this.#loose.keys()).isSubsetOf(readers)) return [];
    for (const batch of this.#head) if (!head.has(batch)) this.#head.delete(batch);
    for (const reader of this.#loose.keys()) {
      if (readers.has(reader)) continue;
      this.#loose.delete(reader);
      this.#unsplit.delete(reader);
      this.#aheadOfHead.delete(reader);
    }
    const changed: TraceId[] = [];
    for (const trace of this.#traces.values()) {
      const isWhole =
        trace.blocks.every((part) => readers.has(part.reader)) &&
        trace.head.every((part) => head.has(part.head));
      if (isWhole) continue;
      const left = new LooseTrace(trace.id);
      for (const part of trace.blocks) {
        if (readers.has(part.reader)) this.#fill(left, part);
      }
      for (const part of trace.head) if (head.has(part.head)) left.addHead(part);
      this.#traces.set(trace.id, left);
      this.#pages.remove(trace);
      this.#pages.add(left);
      changed.push(trace.id);
    }
    return changed;
  }

  /** Forgets a trace that is in a single block now, or nowhere. */
  #removeWhole(id: TraceId): void {
    const trace = this.#traces.get(id)!;
    if (trace.head.length > 0 || trace.blocks.length > 1) return;
    this.#traces.delete(id);
    this.#pages.remove(trace);
    for (const part of trace.blocks) this.#loose.get(part.reader)![part.trace] = 0;
  }

  #clear(): void {
    this.#traces.clear();
    this.#pages = new LoosePages();
    this.#loose.clear();
    this.#unsplit.clear();
    this.#head.clear();
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
      const split: { trace: number; id: Uint8Array }[] = [];
      for (; g < groups.length && split.length < SLICE_TRACES; g++) {
        let ids: Uint8Array | undefined;
        for (let trace = reader.firstTraces[g]!; trace < reader.firstTraces[g + 1]!; trace++) {
          if (seenBefore[trace] !== 1) continue;
          ids ??= reader.group(g).traceIds;
          const at = (trace - reader.firstTraces[g]!) * 16;
          split.push({ trace, id: ids.subarray(at, at + 16) });
        }
      }
      this.#addParts(reader, split, readers);
      this.#unsplit.set(reader, g);
    }
  }

  /** Takes those traces of a block that others have as well. */
  #addParts(
    reader: BlockReader,
    traces: readonly { readonly trace: number; readonly id: Uint8Array }[],
    readers: readonly BlockReader[],
  ): void {
    if (traces.length === 0) return;
    const bytes = Buffer.concat(traces.map(({ id }) => id));
    for (const { found, part } of findParts(bytes, readers, reader)) {
      const own = traces[found]!;
      const id = own.id.toHex() as TraceId;
      this.#addBlock(id, { reader, trace: own.trace });
      this.#addBlock(id, part);
    }
  }

  /** Takes the traces of a new batch. */
  #addHead(head: HeadBatch, readers: readonly BlockReader[]): void {
    this.#head.add(head);
    const { ids } = head.traces;
    const fresh: TraceId[] = [];
    for (let trace = 0; trace < ids.length; trace++) {
      const id = ids[trace]!;
      const loose = this.#trace(id);
      if (loose.head.length === 0) fresh.push(id);
      loose.addHead({ head, trace });
      loose.page!.grow(loose);
    }
    const bytes = Buffer.concat(fresh.map(traceIdBytes));
    for (const { found, part } of findParts(bytes, readers)) this.#addBlock(fresh[found]!, part);
  }

  #addBlock(id: TraceId, part: BlockPart): void {
    const mask = this.#loose.get(part.reader)!;
    if (mask[part.trace] === 1) return;
    mask[part.trace] = 1;
    const trace = this.#trace(id);
    this.#fill(trace, part);
    trace.page!.grow(trace);
  }

  /** Adds what a block has of a trace to it. */
  #fill(trace: LooseTrace, part: BlockPart): void {
    const { reader } = part;
    let summaries = this.#summaries.get(reader);
    if (summaries === undefined) {
      summaries = new TraceSummaries(reader, { isKept: false });
      this.#summaries.set(reader, summaries);
    }
    const g = reader.groupOf(part.trace);
    trace.addBlock(part, summaries.group(g), part.trace - reader.firstTraces[g]!);
  }

  #trace(id: TraceId): LooseTrace {
    let trace = this.#traces.get(id);
    if (trace === undefined) {
      trace = new LooseTrace(id);
      this.#traces.set(id, trace);
      this.#pages.add(trace);
    }
    return trace;
  }
}

/** What blocks have of traces, given by ids of 16 bytes each. */
function* findParts(
  ids: Uint8Array,
  readers: readonly BlockReader[],
  except?: BlockReader,
): Generator<{ found: number; part: BlockPart }, void> {
  const hashes = hashTraces(ids, ids.length / 16, (i) => i * 16);
  for (const reader of readers) {
    if (reader === except) continue;
    for (const found of reader.filter.select(hashes)) {
      const place = reader.findTraceNumber(ids.subarray(found * 16, found * 16 + 16));
      if (place >= 0) yield { found, part: { reader, trace: place } };
    }
  }
}
