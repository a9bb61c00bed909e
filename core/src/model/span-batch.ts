// SPDX-License-Identifier: Apache-2.0
import type { AttributeLevel, ValueType } from './attributes.ts';
import { SpoorError } from './errors.ts';
import type {
  AttributeColumn,
  EventColumns,
  LinkColumns,
  ShapeTable,
  SpanColumns,
  SymbolTable,
} from './span-columns.ts';

/** First word of a batch: "SPB" and the version of the layout. */
const MAGIC = 0x01425053;

/** 32-bit words of the header: 8 counts, then (count, bytes) of each of the 5 symbol tables. */
const HEADER_WORDS = 8 + 2 * 5;

/** Words of a column in the directory. */
const COLUMN_WORDS = 5;

/** Flag in the first word of a column: values stand in order, there are no codes. */
const PLAIN = 1 << 16;

/** Sizes of everything in a batch; together with the bytes it is the whole layout. */
export interface BatchCounts {
  readonly rows: number;
  readonly events: number;
  readonly links: number;
  readonly shapes: number;
  readonly shapeColumns: number;
  /** names, resources, scopes, event names, keys */
  readonly tables: readonly { readonly count: number; readonly byteCount: number }[];
  readonly columns: readonly {
    readonly level: AttributeLevel;
    readonly type: ValueType;
    readonly key: number;
    readonly count: number;
    readonly plain: boolean;
    readonly values: { readonly count: number; readonly byteCount: number };
  }[];
}

/**
 * Spans as columns in one piece of memory: what a receiver makes, a processor changes, the write-ahead log
 * stores, the head keeps and the UI is sent. It is self-contained, and immutable once made.
 *
 * Layout, little endian: header, column directory, all 32-bit columns, then all byte columns, padded to 8.
 * The positions follow from the counts, in the order of the constructor; `FORMAT.md` of the columnar store
 * lists them.
 */
export class SpanBatch implements SpanColumns {
  /** The whole batch; starts at a multiple of 4. */
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId: Uint8Array;
  readonly startLo: Uint32Array;
  readonly startHi: Uint32Array;
  readonly durationLo: Uint32Array;
  readonly durationHi: Uint32Array;
  readonly flags: Uint32Array;
  readonly kind: Uint8Array;
  readonly status: Uint8Array;
  readonly name: Uint32Array;
  readonly resource: Uint32Array;
  readonly scope: Uint32Array;
  readonly shape: Uint32Array;
  readonly names: SymbolTable;
  readonly resources: SymbolTable;
  readonly scopes: SymbolTable;
  readonly eventNames: SymbolTable;
  readonly keys: SymbolTable;
  readonly shapes: ShapeTable;
  readonly columns: readonly AttributeColumn[];
  readonly events: EventColumns | undefined;
  readonly links: LinkColumns | undefined;

  /**
   * Opens the batch that lies in `bytes`, without copying.
   * @throws {SpoorError} corrupt when the sizes do not fit; the content is trusted (callers check a checksum).
   */
  constructor(bytes: Uint8Array) {
    if (bytes.byteOffset % 4 !== 0 || bytes.length < HEADER_WORDS * 4) {
      throw new SpoorError(
        'corrupt',
        `span batch: ${bytes.length} bytes are too few or misaligned`,
      );
    }
    const { buffer, byteOffset } = bytes;
    const header = new Uint32Array(buffer, byteOffset, HEADER_WORDS);
    if (header[0] !== MAGIC || header[1] !== bytes.length) {
      throw new SpoorError(
        'corrupt',
        `span batch: begins with ${header[0]}, ${header[1]}, not with ${MAGIC}, ${bytes.length}`,
      );
    }
    this.bytes = bytes;
    const rows = (this.rows = header[2]!);
    const events = header[3]!;
    const links = header[4]!;
    const columnCount = header[5]!;
    const directoryWords = Math.min(columnCount * COLUMN_WORDS, bytes.length / 4 - HEADER_WORDS);
    const directory = new Uint32Array(buffer, byteOffset + HEADER_WORDS * 4, directoryWords);
    const byteLength = byteLengthOf(header, directory);
    if (directoryWords !== columnCount * COLUMN_WORDS || byteLength !== bytes.length) {
      throw new SpoorError(
        'corrupt',
        `span batch: its parts take ${byteLength}, not ${bytes.length} bytes`,
      );
    }

    let wordAt = byteOffset + (HEADER_WORDS + columnCount * COLUMN_WORDS) * 4;
    const words = (count: number): Uint32Array => {
      const view = new Uint32Array(buffer, wordAt, count);
      wordAt += count * 4;
      return view;
    };
    let byteAt = byteOffset + wordCount(header, directory) * 4;
    const octets = (count: number): Uint8Array => {
      const view = new Uint8Array(buffer, byteAt, count);
      byteAt += count;
      return view;
    };
    const table = (count: number, byteCount: number, hashed: boolean): SymbolTable => ({
      count,
      hashes: hashed ? words(count) : undefined,
      offsets: words(count + 1),
      bytes: octets(byteCount),
    });

    this.startLo = words(rows);
    this.startHi = words(rows);
    this.durationLo = words(rows);
    this.durationHi = words(rows);
    this.flags = words(rows);
    this.name = words(rows);
    this.resource = words(rows);
    this.scope = words(rows);
    this.shape = words(rows);
    this.traceId = octets(rows * 16);
    this.spanId = octets(rows * 8);
    this.parentSpanId = octets(rows * 8);
    this.kind = octets(rows);
    this.status = octets(rows);
    this.names = table(header[8]!, header[9]!, true);
    this.resources = table(header[10]!, header[11]!, true);
    this.scopes = table(header[12]!, header[13]!, true);
    this.eventNames = table(header[14]!, header[15]!, true);
    this.keys = table(header[16]!, header[17]!, true);
    this.shapes = { count: header[6]!, offsets: words(header[6]! + 1), columns: words(header[7]!) };
    this.events =
      events === 0
        ? undefined
        : {
            count: events,
            rowOffsets: words(rows + 1),
            timeLo: words(events),
            timeHi: words(events),
            name: words(events),
            shape: words(events),
          };
    this.links =
      links === 0
        ? undefined
        : {
            count: links,
            rowOffsets: words(rows + 1),
            flags: words(links),
            shape: words(links),
            traceId: octets(links * 16),
            spanId: octets(links * 8),
          };
    const columns: AttributeColumn[] = [];
    for (let c = 0; c < columnCount; c++) {
      const at = c * COLUMN_WORDS;
      const info = directory[at]!;
      const count = directory[at + 2]!;
      const plain = (info & PLAIN) !== 0;
      columns.push({
        // Both were numbers of their enum when the batch was made.
        level: (info & 255) as AttributeLevel,
        type: ((info >> 8) & 255) as ValueType,
        key: directory[at + 1]!,
        count,
        codes: plain ? undefined : words(count),
        values: table(directory[at + 3]!, directory[at + 4]!, !plain),
      });
    }
    this.columns = columns;
  }

  /** An empty batch of these sizes, for a builder to fill. */
  static allocate(counts: BatchCounts): SpanBatch {
    const header = new Uint32Array(HEADER_WORDS);
    header.set([
      MAGIC,
      0,
      counts.rows,
      counts.events,
      counts.links,
      counts.columns.length,
      counts.shapes,
      counts.shapeColumns,
    ]);
    counts.tables.forEach((table, i) => header.set([table.count, table.byteCount], 8 + 2 * i));
    const directory = new Uint32Array(counts.columns.length * COLUMN_WORDS);
    counts.columns.forEach((column, c) => {
      const info = column.level | (column.type << 8) | (column.plain ? PLAIN : 0);
      const { values } = column;
      directory.set(
        [info, column.key, column.count, values.count, values.byteCount],
        c * COLUMN_WORDS,
      );
    });
    const byteLength = byteLengthOf(header, directory);
    header[1] = byteLength;
    const all = new Uint32Array(byteLength / 4);
    all.set(header);
    all.set(directory, HEADER_WORDS);
    return new SpanBatch(new Uint8Array(all.buffer));
  }
}

/** 32-bit words before the byte columns. */
function wordCount(header: Uint32Array, directory: Uint32Array): number {
  const rows = header[2]!;
  let words = HEADER_WORDS + directory.length + rows * 9;
  for (let i = 8; i < HEADER_WORDS; i += 2) words += 2 * header[i]! + 1;
  words += header[6]! + 1 + header[7]!;
  if (header[3]! > 0) words += rows + 1 + header[3]! * 4;
  if (header[4]! > 0) words += rows + 1 + header[4]! * 2;
  for (let at = 0; at < directory.length; at += COLUMN_WORDS) {
    const values = directory[at + 3]!;
    words += (directory[at]! & PLAIN) === 0 ? directory[at + 2]! + 2 * values + 1 : values + 1;
  }
  return words;
}

/** Bytes of the whole batch. The sum is a double, so that no sizes overflow it. */
function byteLengthOf(header: Uint32Array, directory: Uint32Array): number {
  let octets = header[2]! * 34 + header[4]! * 24;
  for (let i = 9; i < HEADER_WORDS; i += 2) octets += header[i]!;
  for (let at = 0; at < directory.length; at += COLUMN_WORDS) octets += directory[at + 4]!;
  return Math.ceil((wordCount(header, directory) * 4 + octets) / 8) * 8;
}
