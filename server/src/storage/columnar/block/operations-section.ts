// SPDX-License-Identifier: Apache-2.0
import { WordList } from '@spoor/core/model/word-list.ts';
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
  /** Operations by their keys, in order of appearance. */
  readonly #numbers = new Map<number, number>();
  /** Per operation its key, and the last group that has it. */
  readonly #keys: number[] = [];
  readonly #last: number[] = [];
  /** Each operation in each group that has it, group by group. */
  readonly #met = new WordList();
  readonly #metGroups = new WordList();
  /** Rows repeat the same few, often those of the row before: most never get to the map. */
  readonly #recent = new Float64Array(RECENT_SLOTS);
  #names = 0;
  #groupCount = 0;

  add({ columns, rows }: SectionRows): void {
    const { resource, name, kind } = columns;
    const group = this.#groupCount++;
    this.#names = columns.names.count;
    const recent = this.#recent.fill(-1);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      const key = (resource[row]! * this.#names + name[row]!) * 256 + kind[row]!;
      const slot = (resource[row]! * 31 + name[row]! * 7 + kind[row]!) & (RECENT_SLOTS - 1);
      if (recent[slot] === key) continue;
      recent[slot] = key;
      this.#meet(key, group);
    }
  }

  #meet(key: number, group: number): void {
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#keys.push(key) - 1;
      this.#numbers.set(key, number);
    } else if (this.#last[number] === group) return;
    this.#last[number] = group;
    this.#met.push(number);
    this.#metGroups.push(group);
  }

  finish(frames: FrameWriter): OperationsRef {
    const keys = this.#keys;
    const count = keys.length;
    const [resources, names, kinds] = [0, 1, 2].map(() => new Uint32Array(count));
    for (let i = 0; i < count; i++) {
      const pair = Math.floor(keys[i]! / 256);
      resources![i] = Math.floor(pair / this.#names);
      names![i] = pair % this.#names;
      kinds![i] = keys[i]! % 256;
    }
    const { listed, list } = this.#listGroups();
    const chunk = frames.chunk('operations', (sink) => {
      for (const codes of [resources!, names!, kinds!]) encodeCodes(sink, codes, count);
    });
    const groups = frames.chunk('operations', (sink) => {
      encodeCodes(sink, listed, count);
      encodeCodes(sink, list, list.length);
    });
    return { count, chunk, groups, listed: list.length };
  }

  /** Per operation how many of its groups are listed, and these, operation by operation. */
  #listGroups(): { listed: Uint32Array; list: Uint32Array } {
    const listed = new Uint32Array(this.#keys.length);
    const { words: met, count } = this.#met;
    for (let i = 0; i < count; i++) listed[met[i]!]!++;
    const next = new Uint32Array(listed.length);
    let total = 0;
    for (let number = 0; number < listed.length; number++) {
      if (listed[number]! > this.#groupCount * LISTED_SHARE) listed[number] = 0;
      next[number] = total;
      total += listed[number]!;
    }
    const list = new Uint32Array(total);
    for (let i = 0; i < count; i++) {
      const number = met[i]!;
      if (listed[number]! > 0) list[next[number]!++] = this.#metGroups.words[i]!;
    }
    return { listed, list };
  }
}
