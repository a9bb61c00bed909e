// SPDX-License-Identifier: Apache-2.0
import type { OperationsRef } from './block-format.ts';
import type { BlockSection, SectionRows } from './block-section.ts';
import { encodeCodes } from './chunk-codec.ts';
import type { FrameWriter } from './frame-writer.ts';

/** Slots for what was seen last; a power of two. */
const RECENT_SLOTS = 256;

/** An operation in more than this share of the groups is looked for in all of them. */
const LISTED_SHARE = 0.5;

/** Distinct (resource, name, kind) of the block, and where the rare ones are: what services and operations are listed and found by. */
export class OperationsSection implements BlockSection<OperationsRef> {
  /** By operation the groups that have it. */
  readonly #groups = new Map<number, number[]>();
  /** Rows repeat the same few, often those of the row before: most never get to the map. */
  readonly #recent = new Float64Array(RECENT_SLOTS);
  #names = 0;
  #groupCount = 0;

  add({ columns, rows }: SectionRows): void {
    const { resource, name, kind } = columns;
    const group = this.#groupCount++;
    this.#names = columns.names.count;
    this.#recent.fill(-1);
    for (const row of rows) {
      const key = (resource[row]! * this.#names + name[row]!) * 256 + kind[row]!;
      const slot = (resource[row]! * 31 + name[row]! * 7 + kind[row]!) & (RECENT_SLOTS - 1);
      if (this.#recent[slot] === key) continue;
      this.#recent[slot] = key;
      const groups = this.#groups.get(key);
      if (groups === undefined) this.#groups.set(key, [group]);
      else if (groups.at(-1) !== group) groups.push(group);
    }
  }

  finish(frames: FrameWriter): OperationsRef {
    const count = this.#groups.size;
    const [resources, names, kinds, listed] = [0, 1, 2, 3].map(() => new Uint32Array(count));
    const list: number[] = [];
    let i = 0;
    for (const [key, groups] of this.#groups) {
      const pair = Math.floor(key / 256);
      resources![i] = Math.floor(pair / this.#names);
      names![i] = pair % this.#names;
      kinds![i] = key % 256;
      if (groups.length <= this.#groupCount * LISTED_SHARE) {
        listed![i] = groups.length;
        for (const group of groups) list.push(group);
      }
      i++;
    }
    const chunk = frames.chunk('operations', (sink) => {
      for (const codes of [resources!, names!, kinds!]) encodeCodes(sink, codes, count);
    });
    const groups = frames.chunk('operations', (sink) => {
      encodeCodes(sink, listed!, count);
      encodeCodes(sink, Uint32Array.from(list), list.length);
    });
    return { count, chunk, groups, listed: list.length };
  }
}
