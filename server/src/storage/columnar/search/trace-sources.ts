// SPDX-License-Identifier: Apache-2.0
import { traceIdBytes, type TraceId } from '@spoor/core/model/ids.ts';
import type { TracePart } from '@spoor/core/query/join-trace.ts';
import type { BlockReader } from '../block/block-reader.ts';
import type { FrameScratch } from '../block/frame-scratch.ts';
import type { HeadBatch } from '../head/head-batch.ts';
import { LooseTraces } from './loose-traces.ts';
import { MatchedRows } from './matched-rows.ts';

/** A sealed block, opened when it is first looked into. */
export interface OpenBlock {
  readonly id: number;
  readonly minStart: number;
  readonly maxStart: number;
  /** Undefined once it was found to be damaged. */
  reader(): BlockReader | undefined;
}

/** Everything that one question looks at: a fixed set of batches and blocks, in which each span is found. */
export class TraceSources {
  readonly head: readonly HeadBatch[];
  readonly blocks: readonly OpenBlock[];
  /** Kept from question to question of the same tenant. */
  readonly loose: LooseTraces;
  /** Kept from question to question. */
  readonly matched: MatchedRows;
  readonly #reportDamage: (block: OpenBlock, error: unknown) => void;

  constructor(
    head: readonly HeadBatch[],
    blocks: readonly OpenBlock[],
    reportDamage: (block: OpenBlock, error: unknown) => void,
    loose: LooseTraces = new LooseTraces(),
    matched: MatchedRows = new MatchedRows(),
  ) {
    this.head = head;
    this.blocks = blocks;
    this.#reportDamage = reportDamage;
    this.loose = loose;
    this.matched = matched;
  }

  /** All blocks that can be read. */
  readers(): BlockReader[] {
    return this.blocks.flatMap((block) => this.withBlock(block, (reader) => reader) ?? []);
  }

  /** Does something with a block; a block that is damaged is reported and left out. */
  withBlock<Result>(block: OpenBlock, use: (reader: BlockReader) => Result): Result | undefined {
    try {
      const reader = block.reader();
      return reader === undefined ? undefined : use(reader);
    } catch (error) {
      this.#reportDamage(block, error);
      return undefined;
    }
  }

  /**
   * All rows of the traces, by trace; ids that are nowhere have an empty list. Rows in a block follow one another.
   * @param scratch where the parts are read: they are of no use any more when it is cleared
   */
  findParts(ids: readonly TraceId[], scratch?: FrameScratch): TracePart[][] {
    const inHead = this.#headRows(ids);
    return ids.map((id, i) => {
      const parts: TracePart[] = [...inHead[i]!].map(([batch, rows]) => ({
        columns: batch.batch,
        rows,
      }));
      for (const block of this.blocks) {
        const found = this.withBlock(block, (reader) => reader.findTrace(id));
        if (found === undefined) continue;
        const { group, start, end } = found;
        parts.push(group.part(start, end, scratch));
      }
      return parts;
    });
  }

  /** Rows of the head by trace: one pass over all ids, however many are looked for. */
  #headRows(ids: readonly TraceId[]): Map<HeadBatch, number[]>[] {
    const found = ids.map(() => new Map<HeadBatch, number[]>());
    if (this.head.length === 0 || ids.length === 0) return found;
    let size = 64;
    while (size < ids.length * 4) size *= 2;
    const slots = new Int32Array(size).fill(-1);
    const wanted = new Uint32Array(ids.length * 4);
    ids.forEach((id, i) => {
      wanted.set(new Uint32Array(traceIdBytes(id).buffer), i * 4);
      let slot = slotOf(wanted[i * 4]!, wanted[i * 4 + 3]!, size);
      while (slots[slot] !== -1) slot = (slot + 1) & (size - 1);
      slots[slot] = i;
    });
    for (const batch of this.head) {
      const words = batch.idWords;
      for (let row = 0, at = 0; row < batch.batch.rows; row++, at += 4) {
        let slot = slotOf(words[at]!, words[at + 3]!, size);
        for (let i = slots[slot]!; i >= 0; i = slots[slot]!) {
          if (
            wanted[i * 4] === words[at] &&
            wanted[i * 4 + 1] === words[at + 1] &&
            wanted[i * 4 + 2] === words[at + 2] &&
            wanted[i * 4 + 3] === words[at + 3]
          ) {
            const rows = found[i]!.get(batch);
            if (rows === undefined) found[i]!.set(batch, [row]);
            else rows.push(row);
          }
          slot = (slot + 1) & (size - 1);
        }
      }
    }
    return found;
  }
}

function slotOf(first: number, last: number, size: number): number {
  const hash = Math.imul(first ^ Math.imul(last, 0x9e3779b1), 0x85ebca6b);
  return (hash ^ (hash >>> 15)) & (size - 1);
}
