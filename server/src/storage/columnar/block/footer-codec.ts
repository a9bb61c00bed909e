// SPDX-License-Identifier: Apache-2.0
import { formatTraceId } from '@spoor/core/model/ids.ts';
import { getUint32 } from '@spoor/core/model/uint32.ts';
import { BlockColumns, COLUMN_WORDS, NO_CHUNK, PAGE_WORDS } from './block-columns.ts';
import {
  type BlockColumn,
  type BlockFooter,
  type BlockGroup,
  type ChunkRef,
  GROUP_CHUNKS,
} from './block-format.ts';
import { GROUP_COLUMN_WORDS, GroupColumns } from './group-columns.ts';

/*
 * The footer, before compression. Most of it are columns, frames and groups, up to hundreds of thousands of numbers: as JSON, opening a
 * block would mean to parse megabytes and to keep three times as much.
 *
 *   u32  bytes of the JSON
 *   u32  frames F
 *   u32  groups G
 *   u32  columns C
 *   u32  pages of dictionaries P
 *   F ×  u32 × 5: offset low, offset high, bytes stored, bytes raw, CRC-32
 *   C ×  u32 × 3: level + type × 256 + plain × 65536, key, pages of this column and of all before it
 *   P ×  u32 × 7: entries, chunk (frame, offset, length), chunk of the groups (frame 0xffffffff: none)
 *   G ×  u32: place of the group's words, counted in u32 from the first group
 *   G ×  the group's words: rows, traces, events, links, columns K, first trace id × 4 (bytes as they are),
 *        24 × (frame, offset, length; frame 0xffffffff: none), K × (column, count, frame, offset, length)
 *   JSON without frames, columns and groups
 *
 * In format 2 the two numbers of columns and pages and what they count are missing, and the columns stand in the JSON.
 */

const HEADER_WORDS = 5;
const HEADER_WORDS_OF_2 = 3;
const FRAME_WORDS = 5;
/** Rows, traces, events, links, columns, id. */
const GROUP_HEAD_WORDS = 9;
const COLUMNS_AT = GROUP_HEAD_WORDS + GROUP_CHUNKS.length * 3;

/** Bytes of a footer. */
export function encodeFooter(footer: BlockFooter): Buffer {
  const { frames, groups, columns, ...rest } = footer;
  const json = Buffer.from(JSON.stringify(rest));
  const encoded = groups.map((group) => groupWords(group));
  const columnsAt = HEADER_WORDS + (frames.length / 4) * FRAME_WORDS;
  const placesAt = columnsAt + columns.words.length;
  const groupsAt = placesAt + groups.length;
  const words = new Uint32Array(encoded.reduce((sum, { length }) => sum + length, groupsAt));
  const pages = (columns.words.length - columns.length * COLUMN_WORDS) / PAGE_WORDS;
  words.set([json.length, frames.length / 4, groups.length, columns.length, pages]);
  for (let i = 0, at = HEADER_WORDS; i < frames.length; i += 4, at += FRAME_WORDS) {
    const offset = frames[i]!;
    words[at] = offset;
    words[at + 1] = Math.floor(offset / 2 ** 32);
    for (let k = 1; k < 4; k++) words[at + 1 + k] = frames[i + k]!;
  }
  words.set(columns.words, columnsAt);
  let place = 0;
  encoded.forEach((group, g) => {
    words[placesAt + g] = place;
    words.set(group, groupsAt + place);
    place += group.length;
  });
  return Buffer.concat([new Uint8Array(words.buffer), json]);
}

/** A group in as little memory as in the footer: a block with thousands of columns has hundreds of thousands of parts of them. */
export function compactGroup(group: Omit<BlockGroup, 'chunkAt'>): BlockGroup {
  return new EncodedGroup(groupWords(group), 0);
}

function groupWords(group: Omit<BlockGroup, 'chunkAt'>): Uint32Array {
  if (group instanceof EncodedGroup) return group.words();
  const { rows, traces, events, links, firstTraceId, chunks, columns } = group;
  const words = new Uint32Array(COLUMNS_AT + columns.length * GROUP_COLUMN_WORDS);
  words.set([rows, traces, events, links, columns.length]);
  const id = Buffer.from(firstTraceId, 'hex');
  for (let i = 0; i < 4; i++) words[5 + i] = getUint32(id, i * 4);
  chunks.forEach((chunk, i) => words.set(chunk ?? [NO_CHUNK, 0, 0], GROUP_HEAD_WORDS + i * 3));
  words.set(columns.words(), COLUMNS_AT);
  return words;
}

/** A footer of format 1. */
type JsonFooter = Omit<BlockFooter, 'columns' | 'groups'> & {
  readonly columns: readonly BlockColumn[];
  readonly groups: readonly (Omit<BlockGroup, 'columns' | 'chunkAt'> & {
    readonly columns: readonly {
      readonly column: number;
      readonly count: number;
      readonly chunk: ChunkRef;
    }[];
  })[];
};

function decodeJson(bytes: Uint8Array): BlockFooter {
  // The checksum says that this is what the writer wrote.
  const footer = JSON.parse(Buffer.from(bytes).toString()) as JsonFooter;
  return {
    ...footer,
    columns: BlockColumns.of(footer.columns),
    groups: footer.groups.map(({ columns, ...group }) => {
      const words = columns.flatMap(({ column, count, chunk }) => [column, count, ...chunk]);
      return compactGroup({ ...group, columns: new GroupColumns(Uint32Array.from(words)) });
    }),
  };
}

/** Reads a footer whose checksum was found right; what is said of a group or a column is decoded when it is asked for. */
export function decodeFooter(bytes: Uint8Array, format: number): BlockFooter {
  if (format === 1) return decodeJson(bytes);
  const jsonAt = bytes.length - getUint32(bytes, 0);
  const words = new Uint32Array(new Uint8Array(bytes.subarray(0, jsonAt)).buffer);
  // The checksum says that this is what the writer wrote.
  const rest = JSON.parse(Buffer.from(bytes.subarray(jsonAt)).toString()) as Omit<
    BlockFooter,
    'frames' | 'groups' | 'columns'
  > & { readonly columns?: readonly BlockColumn[] };
  const framesAt = format === 2 ? HEADER_WORDS_OF_2 : HEADER_WORDS;
  const frameCount = words[1]!;
  const frames = new Float64Array(frameCount * 4);
  for (let i = 0; i < frameCount; i++) {
    const at = framesAt + i * FRAME_WORDS;
    frames[i * 4] = words[at]! + words[at + 1]! * 2 ** 32;
    for (let k = 1; k < 4; k++) frames[i * 4 + k] = words[at + 1 + k]!;
  }
  const columnsAt = framesAt + frameCount * FRAME_WORDS;
  const columnsLength = format === 2 ? 0 : words[3]! * COLUMN_WORDS + words[4]! * PAGE_WORDS;
  const columns =
    rest.columns === undefined
      ? new BlockColumns(words.subarray(columnsAt, columnsAt + columnsLength), words[3]!)
      : BlockColumns.of(rest.columns);
  const groupCount = words[2]!;
  const placesAt = columnsAt + columnsLength;
  const groupsAt = placesAt + groupCount;
  const groups = Array.from(
    { length: groupCount },
    (_, g) => new EncodedGroup(words, groupsAt + words[placesAt + g]!),
  );
  return { ...rest, frames, columns, groups };
}

/** A group as its words say it. */
class EncodedGroup implements BlockGroup {
  readonly #words: Uint32Array;
  readonly #at: number;
  /** Asked for again and again: by searches, and for each trace that is looked for by id. */
  #firstTraceId: string | undefined;

  constructor(words: Uint32Array, at: number) {
    this.#words = words;
    this.#at = at;
  }

  words(): Uint32Array {
    const length = COLUMNS_AT + this.#words[this.#at + 4]! * GROUP_COLUMN_WORDS;
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
    return (this.#firstTraceId ??= formatTraceId(new Uint8Array(buffer), (this.#at + 5) * 4));
  }
  get chunks(): (ChunkRef | null)[] {
    return Array.from(GROUP_CHUNKS, (_, index) => this.chunkAt(index));
  }
  chunkAt(index: number): ChunkRef | null {
    const at = this.#at + GROUP_HEAD_WORDS + index * 3;
    if (this.#words[at] === NO_CHUNK) return null;
    return [this.#words[at]!, this.#words[at + 1]!, this.#words[at + 2]!];
  }
  get columns(): GroupColumns {
    return new GroupColumns(this.#words, this.#at + COLUMNS_AT, this.#words[this.#at + 4]!);
  }
}
