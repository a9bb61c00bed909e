// SPDX-License-Identifier: Apache-2.0
import type { AttributeLevel, ValueType } from './attributes.ts';
import { BatchColumn } from './batch-column.ts';
import { SpoorError } from './errors.ts';
import type {
  CellTable,
  EventColumns,
  LinkColumns,
  ShapeTable,
  SpanColumns,
  SymbolTable,
} from './span-columns.ts';

/** First word of a batch: "SPB" and the version of the layout. */
const MAGIC = 0x01425053;

/** 32-bit words of the header: 11 counts, then (count, bytes) of each of the 5 symbol tables. */
const HEADER_WORDS = 11 + 2 * 5;
const FIRST_TABLE_WORD = 11;

/** Words of a column in the directory: level, type and whether it is plain; key; count. */
const COLUMN_WORDS = 3;

/** Flag in the first word of a column: its values were not interned. */
const PLAIN = 1 << 16;

/** A symbol table by its sizes. */
interface TableSize {
  readonly count: number;
  readonly byteCount: number;
}

/** A column by what it holds. */
export interface ColumnInfo {
  readonly level: AttributeLevel;
  readonly type: ValueType;
  /** Code into the keys. */
  readonly key: number;
  /** Number of values. */
  readonly count: number;
  /** Whether the values were found to be mostly distinct, and are not interned. */
  readonly isPlain: boolean;
}

/** Sizes of everything in a batch; together with the bytes it is the whole layout. */
export interface BatchCounts {
  readonly rows: number;
  readonly events: number;
  readonly links: number;
  readonly shapes: number;
  readonly shapeColumns: number;
  readonly cells: number;
  readonly values: TableSize;
  /** names, resources, scopes, event names, keys */
  readonly tables: readonly TableSize[];
  readonly columns: readonly ColumnInfo[];
}

/**
 * Spans as columns in one piece of memory: what a receiver makes, a processor changes, the write-ahead log
 * stores, the head keeps and the UI is sent. It is self-contained, and immutable once made.
 *
 * The fixed fields are columns. Attributes stand row by row, as codes into one table of values for all keys, so that a batch of
 * few spans with many keys costs no more than its values; an {@link AttributeColumn} is gathered when it is asked for.
 *
 * Layout, little endian: header, column directory, all 32-bit parts, then all byte parts, padded to 8.
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
  readonly events: EventColumns | undefined;
  readonly links: LinkColumns | undefined;
  /** Codes of all attributes: of the rows, then of the events, then of the links. */
  readonly cellCodes: Uint32Array;
  readonly values: SymbolTable;
  /** Of each column three words: level + type × 256 + 65536 where it is plain; key; number of values. */
  readonly directory: Uint32Array;
  #columns: readonly BatchColumn[] | undefined;
  #cells: CellTable | undefined;

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
    const byteLength = byteLengthOf(header);
    if (byteLength !== bytes.length) {
      throw new SpoorError(
        'corrupt',
        `span batch: its parts take ${byteLength}, not ${bytes.length} bytes`,
      );
    }
    this.bytes = bytes;
    const rows = (this.rows = header[2]!);
    const events = header[3]!;
    const links = header[4]!;

    let wordAt = byteOffset + HEADER_WORDS * 4;
    const words = (count: number): Uint32Array => {
      const view = new Uint32Array(buffer, wordAt, count);
      wordAt += count * 4;
      return view;
    };
    let byteAt = byteOffset + wordCount(header) * 4;
    const octets = (count: number): Uint8Array => {
      const view = new Uint8Array(buffer, byteAt, count);
      byteAt += count;
      return view;
    };
    const table = (count: number, byteCount: number): SymbolTable => ({
      count,
      hashes: words(count),
      offsets: words(count + 1),
      bytes: octets(byteCount),
    });

    this.directory = words(header[5]! * COLUMN_WORDS);
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
    this.names = table(header[11]!, header[12]!);
    this.resources = table(header[13]!, header[14]!);
    this.scopes = table(header[15]!, header[16]!);
    this.eventNames = table(header[17]!, header[18]!);
    this.keys = table(header[19]!, header[20]!);
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
    this.cellCodes = words(header[8]!);
    this.values = table(header[9]!, header[10]!);
  }

  get columns(): readonly BatchColumn[] {
    this.#columns ??= Array.from(
      { length: this.columnCount },
      (_, id) => new BatchColumn(this, id, this.column(id)),
    );
    return this.#columns;
  }

  get columnCount(): number {
    return this.directory.length / COLUMN_WORDS;
  }

  /** What a column is, for those who look at many batches once: nothing is kept, unlike with {@link columns}. */
  column(id: number): ColumnInfo {
    const at = id * COLUMN_WORDS;
    const info = this.directory[at]!;
    return {
      // Both were numbers of their enum when the batch was made.
      level: (info & 255) as AttributeLevel,
      type: ((info >> 8) & 255) as ValueType,
      key: this.directory[at + 1]!,
      count: this.directory[at + 2]!,
      isPlain: (info & PLAIN) !== 0,
    };
  }

  get cells(): CellTable {
    if (this.#cells === undefined) {
      let at = 0;
      const { offsets } = this.shapes;
      const starts = (shapes: Uint32Array | undefined): Uint32Array => {
        if (shapes === undefined) return NO_STARTS;
        const list = new Uint32Array(shapes.length);
        for (let i = 0; i < shapes.length; i++) {
          list[i] = at;
          at += offsets[shapes[i]! + 1]! - offsets[shapes[i]!]!;
        }
        return list;
      };
      this.#cells = {
        codes: this.cellCodes,
        values: this.values,
        rowStart: starts(this.shape),
        eventStart: starts(this.events?.shape),
        linkStart: starts(this.links?.shape),
      };
    }
    return this.#cells;
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
      counts.cells,
      counts.values.count,
      counts.values.byteCount,
    ]);
    counts.tables.forEach((table, i) => {
      header[FIRST_TABLE_WORD + 2 * i] = table.count;
      header[FIRST_TABLE_WORD + 2 * i + 1] = table.byteCount;
    });
    const byteLength = byteLengthOf(header);
    header[1] = byteLength;
    const all = new Uint32Array(byteLength / 4);
    all.set(header);
    let at = HEADER_WORDS;
    for (const { level, type, key, count, isPlain } of counts.columns) {
      all[at++] = level | (type << 8) | (isPlain ? PLAIN : 0);
      all[at++] = key;
      all[at++] = count;
    }
    return new SpanBatch(new Uint8Array(all.buffer));
  }
}

const NO_STARTS = new Uint32Array(0);

/** 32-bit words before the byte parts. */
function wordCount(header: Uint32Array): number {
  const rows = header[2]!;
  let words = HEADER_WORDS + header[5]! * COLUMN_WORDS + rows * 9;
  for (let i = FIRST_TABLE_WORD; i < HEADER_WORDS; i += 2) words += 2 * header[i]! + 1;
  words += header[6]! + 1 + header[7]!;
  if (header[3]! > 0) words += rows + 1 + header[3]! * 4;
  if (header[4]! > 0) words += rows + 1 + header[4]! * 2;
  return words + header[8]! + 2 * header[9]! + 1;
}

/** Bytes of the whole batch. The sum is a double, so that no sizes overflow it. */
function byteLengthOf(header: Uint32Array): number {
  let octets = header[2]! * 34 + header[4]! * 24 + header[10]!;
  for (let i = FIRST_TABLE_WORD + 1; i < HEADER_WORDS; i += 2) octets += header[i]!;
  return Math.ceil((wordCount(header) * 4 + octets) / 8) * 8;
}
