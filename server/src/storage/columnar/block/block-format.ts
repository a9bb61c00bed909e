// SPDX-License-Identifier: Apache-2.0
import type { BlockColumns } from './block-columns.ts';
import type { GroupColumns } from './group-columns.ts';
import type { SummariesRef } from './summaries-section.ts';
import type { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';

/**
 * The format of a block file; `FORMAT.md` says it byte by byte.
 *
 * file = magic (8) · frames · footer (zstd; see `footer-codec.ts`) · trailer (see `block-trailer.ts`)
 */
export const BLOCK_MAGIC = new Uint8Array([0x53, 0x50, 0x4f, 0x4f, 0x52, 0x42, 0x4c, 0x4b]);

/** Version of the format, in the footer and the trailer. A reader refuses what is newer. */
export const BLOCK_FORMAT_VERSION = 3;

/** Rows of a group, the unit of reading; a group ends with a trace, so it may have more. */
export const GROUP_ROWS = 4096;

/** Place of a chunk: frame, offset in the frame's raw bytes, length. */
export type ChunkRef = readonly [frame: number, offset: number, length: number];

/** A list of byte strings; see `values-chunk.ts`. */
export interface TableRef {
  readonly count: number;
  readonly chunk: ChunkRef;
}

/** A page of a dictionary: a run of its entries. */
export interface PageRef extends TableRef {
  /** Codes chunk: per entry in which groups it is, bit `g % 32` for group `g`. Missing where entries are in most groups anyway. */
  readonly groups?: ChunkRef;
}

/** A column of a block. */
export interface BlockColumn {
  readonly level: AttributeLevel;
  readonly type: ValueType;
  readonly key: number;
  /** Pages of the dictionary, in order; undefined for a plain column. */
  readonly pages: readonly PageRef[] | undefined;
}

/** The grams of a column's values. */
export interface GramsRef {
  readonly column: number;
  /** Bits of a `GramSet`. */
  readonly chunk: ChunkRef;
}

/** The fixed columns of a group, in the order in which they are written. */
export const GROUP_CHUNKS = [
  'traceIds',
  'traceRows',
  'traceStart',
  'start',
  'duration',
  'resource',
  'name',
  'status',
  'kind',
  'spanIds',
  'parent',
  'otherParents',
  'flags',
  'scope',
  'shape',
  'eventCount',
  'eventTime',
  'eventName',
  'eventShape',
  'linkCount',
  'linkTraceIds',
  'linkSpanIds',
  'linkFlags',
  'linkShape',
] as const;
export type GroupChunk = (typeof GROUP_CHUNKS)[number];

const CHUNK_PLACES = new Map(GROUP_CHUNKS.map((what, place) => [what, place]));

/** A run of whole traces. */
export interface BlockGroup {
  readonly rows: number;
  readonly traces: number;
  readonly events: number;
  readonly links: number;
  /** First trace id, 32 hex digits. */
  readonly firstTraceId: string;
  /** In the order of {@link GROUP_CHUNKS}; null where the group has none of it. */
  readonly chunks: readonly (ChunkRef | null)[];
  /** One of `chunks` by its index, where all of them would have to be made first. */
  chunkAt(index: number): ChunkRef | null;
  readonly columns: GroupColumns;
}

/** A fixed column of a group; null when the group has none of it. */
export function chunkOf(group: BlockGroup, what: GroupChunk): ChunkRef | null {
  return group.chunkAt(CHUNK_PLACES.get(what)!);
}

/** Counts by key, minute and latency bucket: codes chunks one after the other. */
export interface CountsRef {
  readonly keys: number;
  readonly minutes: number;
  readonly series: number;
  readonly cells: number;
  readonly chunk: ChunkRef;
}

/** Distinct (resource, name, kind). */
export interface OperationsRef {
  readonly count: number;
  /** Three codes chunks one after the other. */
  readonly chunk: ChunkRef;
  /** Codes chunks: per operation in how many groups it is, or 0 where it is in most; then these groups, one operation's after the other's. */
  readonly groups?: ChunkRef;
  /** Groups in the second list. */
  readonly listed?: number;
}

/** Calls between services: counts, and the names that their keys have the codes of. */
export interface EdgesRef extends CountsRef {
  readonly names: TableRef;
}

/** Everything that is needed to find the rest. */
export interface BlockFooter {
  readonly version: number;
  readonly rows: number;
  readonly traces: number;
  /** Earliest and latest start of a span, Unix epoch ns, decimal. */
  readonly minStart: string;
  readonly maxStart: string;
  /** Since version 2: ranges that hold all starts, ascending: the least and the greatest of each, decimal. */
  readonly startRanges?: readonly string[];
  /** Four numbers a frame: offset in the file, bytes stored, bytes raw (0: stored as it is), crc32 of the bytes stored. */
  readonly frames: ArrayLike<number>;
  readonly names: TableRef;
  readonly resources: TableRef;
  readonly scopes: TableRef;
  readonly eventNames: TableRef;
  readonly keys: TableRef;
  readonly shapes: {
    readonly count: number;
    readonly lengths: ChunkRef;
    readonly columns: ChunkRef;
  };
  readonly columns: BlockColumns;
  readonly groups: readonly BlockGroup[];
  /** Bits of the trace filter; of another kind in version 1. */
  readonly filter: ChunkRef;
  /** Codes chunk, since version 2: per trace 1 when another block had rows of it at the time of writing, else 0. */
  readonly seenBefore?: ChunkRef;
  readonly operations: OperationsRef;
  /** Since version 2. */
  readonly edges?: EdgesRef;
  /** Spans by service, operation, kind and status; since version 2. */
  readonly red?: CountsRef;
  /** What traces are ranked by; missing in version 1. */
  readonly summaries?: SummariesRef;
  /** Of columns of texts with large dictionaries, ascending; missing where there are none, and in blocks of earlier builds. */
  readonly grams?: readonly GramsRef[];
  /** Bytes in the file by what they hold, for the breakdown. */
  readonly bytesBy: Readonly<Record<string, number>>;
}
