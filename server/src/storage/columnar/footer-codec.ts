// SPDX-License-Identifier: Apache-2.0
import { formatTraceId } from '@spoor/core/model/ids.ts';
import {
  type BlockFooter,
  type BlockGroup,
  type ChunkRef,
  GROUP_CHUNKS,
  type GroupColumn,
} from './block-format.ts';
import { getUint32 } from './chunk-codec.ts';

/*
 * The footer, before compression. Most of it are frames and groups, thousands of numbers: as JSON, opening a block would mean to
 * parse 90 kB and to keep three times as much.
 *
 *   u32  bytes of the JSON
 *   u32  frames F
 *   u32  groups G
 *   F ×  u32 × 5: offset low, offset high, bytes stored, bytes raw, CRC-32
 *   G ×  u32: place of the group's words, counted in u32 from the first group
 *   G ×  the group's words: rows, traces, events, links, columns C, first trace id × 4 (bytes as they are),
 *        24 × (frame, offset, length; frame 0xffffffff: none), C × (column, count, frame, offset, length)
 *   JSON without frames and groups
 */

const HEADER_WORDS = 3;
const FRAME_WORDS = 5;
/** Rows, traces, events, links, columns, id. */
const GROUP_HEAD_WORDS = 9;
const COLUMNS_AT = GROUP_HEAD_WORDS + GROUP_CHUNKS.length * 3;
/** Column, count, frame, offset, length. */
const COLUMN_WORDS = 5;
const NO_CHUNK = 0xffffffff;

/** Bytes of a footer. */
export function encodeFooter(footer: BlockFooter): Buffer {
  const { frames, groups, ...rest } = footer;
  const json = Buffer.from(JSON.stringify(rest));
  const encoded = groups.map(groupWords);
  const placesAt = HEADER_WORDS + (frames.length / 4) * FRAME_WORDS;
  const groupsAt = placesAt + groups.length;
  const words = new Uint32Array(encoded.reduce((sum, { length }) => sum + length, groupsAt));
  words.set([json.length, frames.length / 4, groups.length]);
  for (let i = 0, at = HEADER_WORDS; i < frames.length; i += 4, at += FRAME_WORDS) {
    const offset = frames[i]!;
    words[at] = offset;
    words[at + 1] = Math.floor(offset / 2 ** 32);
    for (let k = 1; k < 4; k++) words[at + 1 + k] = frames[i + k]!;
  }
  let place = 0;
  encoded.forEach((group, g) => {
    words[placesAt + g] = place;
    words.set(group, groupsAt + place);
    place += group.length;
  });
  return Buffer.concat([new Uint8Array(words.buffer), json]);
}

/** A group in as little memory as in the footer: a block with thousands of columns has hundreds of thousands of parts of them. */
export function compactGroup(group: BlockGroup): BlockGroup {
  return new EncodedGroup(groupWords(group), 0);
}

function groupWords(group: BlockGroup): Uint32Array {
  if (group instanceof EncodedGroup) return group.words();
  const { rows, traces, events, links, firstTraceId, chunks, columns } = group;
  const words = new Uint32Array(COLUMNS_AT + columns.length * COLUMN_WORDS);
  words.set([rows, traces, events, links, columns.length]);
  const id = Buffer.from(firstTraceId, 'hex');
  for (let i = 0; i < 4; i++) words[5 + i] = getUint32(id, i * 4);
  chunks.forEach((chunk, i) => words.set(chunk ?? [NO_CHUNK, 0, 0], GROUP_HEAD_WORDS + i * 3));
  columns.forEach(({ column, count, chunk }, i) => {
    const at = COLUMNS_AT + i * COLUMN_WORDS;
    words[at] = column;
    words[at + 1] = count;
    for (let k = 0; k < 3; k++) words[at + 2 + k] = chunk[k]!;
  });
  return words;
}

/** Reads a footer whose checksum was found right; what is said of a group is decoded when it is asked for. */
export function decodeFooter(bytes: Uint8Array, format: number): BlockFooter {
  if (format === 1) return JSON.parse(Buffer.from(bytes).toString()) as BlockFooter;
  const jsonAt = bytes.length - getUint32(bytes, 0);
  const words = new Uint32Array(new Uint8Array(bytes.subarray(0, jsonAt)).buffer);
  // The checksum says that this is what the writer wrote.
  const rest = JSON.parse(Buffer.from(bytes.subarray(jsonAt)).toString()) as Omit<
    BlockFooter,
    'frames' | 'groups'
  >;
  const frameCount = words[1]!;
  const frames = new Float64Array(frameCount * 4);
  for (let i = 0; i < frameCount; i++) {
    const at = HEADER_WORDS + i * FRAME_WORDS;
    frames[i * 4] = words[at]! + words[at + 1]! * 2 ** 32;
    for (let k = 1; k < 4; k++) frames[i * 4 + k] = words[at + 1 + k]!;
  }
  const groupCount = words[2]!;
  const placesAt = HEADER_WORDS + frameCount * FRAME_WORDS;
  const groupsAt = placesAt + groupCount;
  const groups = Array.from(
    { length: groupCount },
    (_, g) => new EncodedGroup(words, groupsAt + words[placesAt + g]!),
  );
  return { ...rest, frames, groups };
}

/** A group as its words say it. */
class EncodedGroup implements BlockGroup {
  readonly #words: Uint32Array;
  readonly #at: number;

  constructor(words: Uint32Array, at: number) {
    this.#words = words;
    this.#at = at;
  }

  words(): Uint32Array {
    const length = COLUMNS_AT + this.#words[this.#at + 4]! * COLUMN_WORDS;
    return this.#words.subarray(this.#at, this.#at + length);
  }

  get rows(): number {
    return this.#words[this.#at]!;
  }
  get traces(): number {
    return this.#words[this.#at + 1]!;
  }
  get events(): number {
    return this.#words[this.#at + 2]!;
  }
  get links(): number {
    return this.#words[this.#at + 3]!;
  }
  get firstTraceId(): string {
    const { buffer } = this.#words;
    return formatTraceId(new Uint8Array(buffer), (this.#at + 5) * 4);
  }
  get chunks(): (ChunkRef | null)[] {
    return Array.from(GROUP_CHUNKS, (_, index) => this.chunkAt(index));
  }
  chunkAt(index: number): ChunkRef | null {
    const at = this.#at + GROUP_HEAD_WORDS + index * 3;
    return this.#words[at] === NO_CHUNK ? null : this.#ref(at);
  }
  get columns(): GroupColumn[] {
    return Array.from({ length: this.#words[this.#at + 4]! }, (_, i) => {
      const at = this.#at + COLUMNS_AT + i * COLUMN_WORDS;
      const [column, count] = [this.#words[at]!, this.#words[at + 1]!];
      return { column, count, chunk: this.#ref(at + 2) };
    });
  }

  #ref(at: number): ChunkRef {
    return [this.#words[at]!, this.#words[at + 1]!, this.#words[at + 2]!];
  }
}
