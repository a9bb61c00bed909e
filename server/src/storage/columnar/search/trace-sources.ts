// SPDX-License-Identifier: Apache-2.0
import { traceIdBytes, type TraceId } from '@spoor/core/model/ids.ts';
import type { TracePart } from '@spoor/core/query/join-trace.ts';
import type { BlockReader } from '../block/block-reader.ts';
import type { FrameScratch } from '../block/frame-scratch.ts';
import type { HeadBatch } from '../head/head-batch.ts';
import type { HeadPart } from '../head/head-part.ts';
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
  /** The parts of the head, in order. */
  readonly parts: readonly HeadPart[];
  readonly blocks: readonly OpenBlock[];
  /** Kept from question to question of the same tenant. */
  readonly loose: LooseTraces;
  /** Kept from question to question. */
  readonly matched: MatchedRows;
  readonly #reportDamage: (block: OpenBlock, error: unknown) => void;
  #head: readonly HeadBatch[] | undefined;

  constructor(
    parts: readonly HeadPart[],
    blocks: readonly OpenBlock[],
    reportDamage: (block: OpenBlock, error: unknown) => void,
    loose: LooseTraces = new LooseTraces(),
    matched: MatchedRows = new MatchedRows(),
  ) {
    this.parts = parts;
    this.blocks = blocks;
    this.#reportDamage = reportDamage;
    this.loose = loose;
    this.matched = matched;
  }

  /** The batches of the head, in order. */
  get head(): readonly HeadBatch[] {
    return (this.#head ??= this.parts.flatMap(({ batches }) => batches));
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
    return ids.map((id) => {
      const parts = this.#headParts(id);
      for (const block of this.blocks) {
        const found = this.withBlock(block, (reader) => reader.findTrace(id));
        if (found === undefined) continue;
        const { group, start, end } = found;
        parts.push(group.part(start, end, scratch));
      }
      return parts;
    });
  }

  #headParts(id: TraceId): TracePart[] {
    const words = new Uint32Array(traceIdBytes(id).buffer);
    return this.parts.flatMap((part) =>
      part.rowsOf(part.find(words, 0)).map(({ head, rows }) => ({ columns: head.batch, rows })),
    );
  }
}
