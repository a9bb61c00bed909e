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
const NO_CHUNK = 0xffffffff;

/** Bytes of a footer. */
export function encodeFooter(footer: BlockFooter): Buffer {
  const { frames, groups, ...rest } = footer;
  const json = Buffer.from(JSON.stringify(rest));
  const words: number[] = [json.length, frames.length / 4, groups.length];
  for (let i = 0; i < frames.length; i += 4) {
    const offset = frames[i]!;
    words.push(offset >>> 0, Math.floor(offset / 2 ** 32));
    words.push(frames[i + 1]!, frames[i + 2]!, frames[i + 3]!);
  }
  let place = 0;
  for (const { columns } of groups) {
    words.push(place);
    place += COLUMNS_AT + columns.length * 5;
  }
  for (const group of groups) {
    words.push(group.rows, group.traces, group.events, group.links, group.columns.length);
    const id = Buffer.from(group.firstTraceId, 'hex');
    for (let i = 0; i < 16; i += 4) words.push(getUint32(id, i));
    for (const chunk of group.chunks) words.push(...(chunk ?? [NO_CHUNK, 0, 0]));
    for (const { column, count, chunk } of group.columns) words.push(column, count, ...chunk);
  }
  return Buffer.concat([new Uint8Array(Uint32Array.from(words).buffer), json]);
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
      const at = this.#at + COLUMNS_AT + i * 5;
      const [column, count] = [this.#words[at]!, this.#words[at + 1]!];
      return { column, count, chunk: this.#ref(at + 2) };
    });
  }

  #ref(at: number): ChunkRef {
    return [this.#words[at]!, this.#words[at + 1]!, this.#words[at + 2]!];
  }
}
