// SPDX-License-Identifier: Apache-2.0
import { crc32 } from 'node:zlib';
import type { EdgeKey } from '@spoor/core/analysis/edge-counts.ts';
import type { MinuteTable } from '@spoor/core/analysis/minute-counts.ts';
import type { RedKey } from '@spoor/core/analysis/red-counts.ts';
import { getUint32 } from '@spoor/core/model/uint32.ts';
import type { CountedEdges, CountedSpans } from '#storage/counted.ts';
import { putUint32 } from '../block/chunk-codec.ts';
import { compress, decompress } from '../block/zstd.ts';
import { type WorkerFile, type WorkerFiles, writeFullySync } from '../files/store-files.ts';
import type { OverlapStore, StoredOverlap } from './kept-overlaps.ts';

/*
 * The file, little endian.
 *
 *   at  size  what
 *    0     8  "SPOOROVL"
 *    8     4  format
 *   12     4  bytes of the content raw
 *   16     4  CRC-32 (zlib) of the 16 bytes before and the content as stored
 *   20        content: zstd of JSON, an array of FileOverlap
 */
const MAGIC = new TextEncoder().encode('SPOOROVL');
const FORMAT = 1;
const HEADER_BYTES = 20;
const LEVEL = 1;

/** A larger file is neither written nor read: 20 million spans in 29 blocks take some 100 kB, and 2 MB raw. */
export const MAX_OVERLAPS_BYTES = 64 << 20;

/** A digit and what stands between two numbers. */
const MIN_NUMBER_BYTES = 2;

/** A table as JSON has it. */
type FileTable = { readonly [Column in keyof MinuteTable]: readonly number[] };

/** A {@link StoredOverlap} as the file has it. */
interface FileOverlap {
  readonly id: number;
  readonly checksum: number;
  readonly seen: readonly number[];
  readonly shared: readonly number[];
  /** What the numbers in both lists of keys stand for; one list for edges, one for spans. */
  readonly edges: {
    readonly texts: readonly string[];
    readonly keys: readonly EdgeKey[];
    readonly table: FileTable;
  };
  readonly spans: {
    readonly texts: readonly string[];
    readonly keys: readonly RedKey[];
    readonly table: FileTable;
  };
}

/** The file with the overlaps of a tenant's blocks. It is of no worth but time: one that is damaged is as if it were not there. */
export class OverlapsFile implements OverlapStore {
  readonly #files: WorkerFiles;
  readonly #path: string;

  constructor(files: WorkerFiles, path: string) {
    this.#files = files;
    this.#path = path;
  }

  read(): readonly StoredOverlap[] {
    try {
      return decode(this.#use('read', readAll)) ?? [];
    } catch {
      return [];
    }
  }

  write(overlaps: readonly StoredOverlap[]): void {
    try {
      const parts = encode(overlaps);
      if (parts === undefined) return;
      // Not synced: what a power loss leaves of it has another checksum.
      this.#use('create', (file) => writeFullySync(file, parts, 0));
    } catch {
      // A full disk or no memory, for instance. What was counted is in memory all the same.
    }
  }

  #use<Result>(mode: 'read' | 'create', use: (file: WorkerFile) => Result): Result {
    const file = this.#files.open(this.#path, mode);
    try {
      return use(file);
    } finally {
      file.close();
    }
  }
}

function readAll(file: WorkerFile): Uint8Array {
  const bytes = new Uint8Array(Math.min(file.size(), HEADER_BYTES + MAX_OVERLAPS_BYTES));
  for (let have = 0; have < bytes.length;) {
    const count = file.read(bytes.subarray(have), have);
    if (count === 0) return bytes.subarray(0, have);
    have += count;
  }
  return bytes;
}

/** @returns undefined where it would be too large */
function encode(overlaps: readonly StoredOverlap[]): Uint8Array[] | undefined {
  const raw = rawOf(overlaps);
  if (raw === undefined) return undefined;
  const content = compress(raw, LEVEL);
  const header = new Uint8Array(HEADER_BYTES);
  header.set(MAGIC);
  putUint32(header, 8, FORMAT);
  putUint32(header, 12, raw.length);
  putUint32(header, 16, crc32(content, crc32(header.subarray(0, 16))));
  return [header, content];
}

/** The list as JSON, block by block: what would be too large is not all made. */
function rawOf(overlaps: readonly StoredOverlap[]): Uint8Array | undefined {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  let bytes = 1;
  for (const overlap of overlaps) {
    const { edges, spans } = overlap.counted;
    const cells = edges.table.count.length + spans.table.count.length;
    // Each has its bucket and its count.
    if (bytes + cells * 2 * MIN_NUMBER_BYTES > MAX_OVERLAPS_BYTES) return undefined;
    const separator = parts.length === 0 ? '[' : ',';
    const part = encoder.encode(separator + JSON.stringify(fileOverlap(overlap)));
    bytes += part.length;
    if (bytes > MAX_OVERLAPS_BYTES) return undefined;
    parts.push(part);
  }
  return Buffer.concat([...parts, encoder.encode(parts.length === 0 ? '[]' : ']')]);
}

/**
 * What is wrong with the file of overlaps, or undefined.
 * @param bytes all of it
 */
export function overlapsFlaw(bytes: Uint8Array): string | undefined {
  if (bytes.length < HEADER_BYTES || !MAGIC.every((byte, i) => bytes[i] === byte)) {
    return `${bytes.length} bytes that do not begin as such a file does`;
  }
  const format = getUint32(bytes, 8);
  if (format !== FORMAT) return `format ${format} where ${FORMAT} is read`;
  if (getUint32(bytes, 12) > MAX_OVERLAPS_BYTES) return `${getUint32(bytes, 12)} bytes raw`;
  const checksum = crc32(bytes.subarray(HEADER_BYTES), crc32(bytes.subarray(0, 16)));
  return checksum === getUint32(bytes, 16) ? undefined : 'its checksum is wrong';
}

/** @returns undefined where it is not what {@link encode} made */
function decode(bytes: Uint8Array): StoredOverlap[] | undefined {
  if (overlapsFlaw(bytes) !== undefined) return undefined;
  const content = bytes.subarray(HEADER_BYTES);
  const raw = decompress(content, getUint32(bytes, 12));
  // The checksum says that it was made from such a list.
  return (JSON.parse(raw.toString()) as FileOverlap[]).map(storedOverlap);
}

function fileOverlap({ id, checksum, seen, shared, counted }: StoredOverlap): FileOverlap {
  const { edges, spans } = counted;
  const numbers = new Map<string, number>();
  const numberOf = (text: string): number => {
    const known = numbers.get(text) ?? numbers.size;
    numbers.set(text, known);
    return known;
  };
  const keys = spans.keys.map((key) => ({
    ...key,
    service: numberOf(spans.textOf(key.service)),
    operation: numberOf(spans.textOf(key.operation)),
  }));
  return {
    id,
    checksum,
    seen: [...seen],
    shared: [...shared],
    edges: { texts: edges.texts, keys: edges.keys, table: fileTable(edges.table) },
    spans: { texts: [...numbers.keys()], keys, table: fileTable(spans.table) },
  };
}

function storedOverlap({ id, checksum, seen, shared, edges, spans }: FileOverlap): StoredOverlap {
  const countedEdges: CountedEdges = { ...edges, table: countedTable(edges.table) };
  const countedSpans: CountedSpans = {
    textOf: (number) => spans.texts[number]!,
    keys: spans.keys,
    table: countedTable(spans.table),
  };
  return {
    id,
    checksum,
    seen: new Set(seen),
    shared: new Set(shared),
    counted: { edges: countedEdges, spans: countedSpans },
  };
}

function fileTable({ minutes, key, minute, start, bucket, count }: MinuteTable): FileTable {
  return {
    minutes: [...minutes],
    key: [...key],
    minute: [...minute],
    start: [...start],
    bucket: [...bucket],
    count: [...count],
  };
}

function countedTable({ minutes, key, minute, start, bucket, count }: FileTable): MinuteTable {
  return {
    minutes: Uint32Array.from(minutes),
    key: Uint32Array.from(key),
    minute: Uint32Array.from(minute),
    start: Uint32Array.from(start),
    bucket: Uint32Array.from(bucket),
    count: Int32Array.from(count),
  };
}
