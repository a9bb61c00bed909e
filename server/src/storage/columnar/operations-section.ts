// SPDX-License-Identifier: Apache-2.0
import type { ChunkRef } from './block-format.ts';
import type { BlockSection, SectionRows } from './block-section.ts';
import { encodeCodes } from './chunk-codec.ts';
import type { FrameWriter } from './frame-writer.ts';

/** Slots for what was seen last; a power of two. */
const RECENT_SLOTS = 256;

/** Distinct (resource, name, kind) of the block: what services and operations are listed from. */
export class OperationsSection implements BlockSection<{ count: number; chunk: ChunkRef }> {
  readonly #seen = new Set<number>();
  /** Rows repeat the same few, often those of the row before: most never get to the set. */
  readonly #recent = new Float64Array(RECENT_SLOTS).fill(-1);
  #names = 0;

  add({ columns, rows }: SectionRows): void {
    const { resource, name, kind } = columns;
    this.#names = columns.names.count;
    for (const row of rows) {
      const key = (resource[row]! * this.#names + name[row]!) * 256 + kind[row]!;
      const slot = (resource[row]! * 31 + name[row]! * 7 + kind[row]!) & (RECENT_SLOTS - 1);
      if (this.#recent[slot] === key) continue;
      this.#recent[slot] = key;
      this.#seen.add(key);
    }
  }

  finish(frames: FrameWriter): { count: number; chunk: ChunkRef } {
    const count = this.#seen.size;
    const [resources, names, kinds] = [0, 1, 2].map(() => new Uint32Array(count));
    let i = 0;
    for (const key of this.#seen) {
      const pair = Math.floor(key / 256);
      resources![i] = Math.floor(pair / this.#names);
      names![i] = pair % this.#names;
      kinds![i++] = key % 256;
    }
    const chunk = frames.chunk('operations', (sink) => {
      for (const list of [resources!, names!, kinds!]) encodeCodes(sink, list, count);
    });
    return { count, chunk };
  }
}
