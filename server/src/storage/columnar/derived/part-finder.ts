// SPDX-License-Identifier: Apache-2.0
import { formatTraceId } from '@spoor/core/model/ids.ts';
import type { TracePart } from '@spoor/core/query/join-trace.ts';
import type { RowGroup } from '../block/row-group.ts';
import type { OpenBlock, TraceSources } from '../search/trace-sources.ts';

/** A trace that blocks have rows of. */
interface FoundTrace {
  /** Its index in the list of ids. */
  readonly trace: number;
  readonly parts: readonly TracePart[];
  /** Ids of the blocks that the parts are in. */
  readonly blocks: readonly number[];
}

/** Finds the rows of many traces in blocks. It asks for them in the order of their ids, as blocks have them. */
export class PartFinder {
  readonly #sources: TraceSources;
  readonly #blocks: readonly OpenBlock[];
  /** The group of each block that was looked at last. */
  readonly #groups = new Map<OpenBlock, RowGroup>();

  constructor(sources: TraceSources, blocks: readonly OpenBlock[]) {
    this.#sources = sources;
    this.#blocks = blocks;
  }

  /**
   * The traces among `ids` that some block has, each with its parts by block.
   * @param ids 16 bytes each, ascending, also from call to call
   */
  find(ids: Uint8Array, count: number): FoundTrace[] {
    const found = new Map<number, { parts: TracePart[]; blocks: number[] }>();
    // Block by block, so that the bits of one filter stay in the processor's cache.
    for (const block of this.#blocks) {
      this.#sources.withBlock(block, (reader) => {
        for (let trace = 0; trace < count; trace++) {
          if (!reader.filter.mayHave(ids, trace * 16)) continue;
          const id = formatTraceId(ids, trace * 16);
          const rows = reader.findTrace(id, this.#groups.get(block));
          if (rows === undefined) continue;
          const { group, start, end } = rows;
          this.#groups.set(block, group);
          const part = group.part(start, end);
          let known = found.get(trace);
          if (known === undefined) found.set(trace, (known = { parts: [], blocks: [] }));
          known.parts.push(part);
          known.blocks.push(block.id);
        }
      });
    }
    return [...found]
      .map(([trace, places]) => ({ trace, ...places }))
      .sort((a, b) => a.trace - b.trace);
  }
}
