// SPDX-License-Identifier: Apache-2.0
import type { AttributeLevel, ValueType } from './attributes.ts';
import { StatusCode } from './span.ts';

/** In the columns of kinds and of status codes: the number does not fit there, and a field tells it. Hardly anyone sends such. */
export const IN_FIELD = 255;

/** Entries of {@link SpanColumns.status}. */
export const StatusByte = {
  notSent: 0,
  unset: 1 + StatusCode.unset,
  ok: 1 + StatusCode.ok,
  error: 1 + StatusCode.error,
} as const;

/**
 * A list of distinct byte strings; a **code** is an index into it.
 *
 * Entry `c` is `bytes[offsets[c], offsets[c + 1])`.
 */
export interface SymbolTable {
  readonly count: number;
  /** `count + 1` entries, ascending. */
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
  /** `hashBytes` of each entry, 0 where it was not needed; undefined where the source keeps none (sealed blocks). */
  readonly hashes: Uint32Array | undefined;
}

/** A table without entries. */
export const NO_SYMBOLS: SymbolTable = {
  count: 0,
  offsets: new Uint32Array(1),
  bytes: new Uint8Array(0),
  hashes: undefined,
};

/** The distinct values of a column where all of them together are much, and several sources share them. */
export interface PagedValues {
  readonly count: number;
  /** All entries, in order, as tables: each is there until the next one is asked for. */
  pages(): Iterable<SymbolTable>;
  /** As {@link pages}, what has some bytes, not none, in it. */
  pagesWith(part: Uint8Array): Iterable<PagePart>;
  /** Entry of a string, or -1. */
  find(value: Uint8Array): number;
  /** False when surely no entry has all of these in it, with letters of ASCII as small or capital ones. */
  mayHaveInside?(parts: readonly Uint8Array[]): boolean;
}

/** Some entries of a page of {@link PagedValues}. */
export interface PagePart {
  /** Number of the page's first entry. */
  readonly first: number;
  /** The page; nothing is in it where `entries` is empty. */
  readonly table: SymbolTable;
  /** Their places in the page, ascending. */
  readonly entries: readonly number[];
}

/**
 * The values of one key, one value type and one level, in the order of the rows
 * (or of the events or links) that have them. A row whose shape names the column
 * twice has two values in it.
 *
 * Values are **canonical bytes** (see `attributes.ts`), so equal values are equal bytes.
 */
export interface AttributeColumn {
  readonly level: AttributeLevel;
  readonly type: ValueType;
  /** Index into {@link SpanColumns.keys}. */
  readonly key: number;
  /** Number of values. */
  readonly count: number;
  /** Index of each value in `values`; undefined when the column is plain: value `i` is `values` entry `i`. */
  readonly codes: Uint32Array | undefined;
  /** Distinct values, or for a plain column all values in order. */
  readonly values: SymbolTable;
  /** The same values in pages, where the source has them so; the same object for all sources that share them. */
  readonly paged?: PagedValues | undefined;
  /** With `paged`: false when the column surely has none of the entries that are marked with 1. */
  mayHaveSome?(marked: Uint8Array): boolean;
}

/** What is known of an {@link AttributeColumn} of many spans beside their rows. */
export interface ColumnDictionary extends Pick<
  AttributeColumn,
  'level' | 'type' | 'key' | 'count' | 'paged' | 'mayHaveSome'
> {
  /** As there; undefined where neither this nor `paged` tells what values there are. */
  readonly values: SymbolTable | undefined;
}

/** The distinct things of spans, without a column that has an entry for each row. */
export interface SpanDictionaries extends Pick<
  SpanColumns,
  'names' | 'resources' | 'scopes' | 'keys'
> {
  readonly columns: readonly ColumnDictionary[];
}

/**
 * The attributes of all rows, row by row: the other order, which batches are made in. The attributes of one span (event, link) are
 * one after the other, in the order of its shape.
 */
export interface CellTable {
  /** For each attribute the entry of its value in `values`. */
  readonly codes: Uint32Array;
  /** Values of all columns together; what they mean depends on the column's type. */
  readonly values: SymbolTable;
  /** Where the attributes of each row, event and link begin. */
  readonly rowStart: Uint32Array;
  readonly eventStart: Uint32Array;
  readonly linkStart: Uint32Array;
}

/** The sequences of attribute columns that spans, events and links have; a shape is stored once. */
export interface ShapeTable {
  readonly count: number;
  /** Shape `s` is `columns[offsets[s], offsets[s + 1])`. */
  readonly offsets: Uint32Array;
  /** Indexes into {@link SpanColumns.columns}. */
  readonly columns: Uint32Array;
}

/** Events of the rows, one entry an event; events of row `r` are `[rowOffsets[r], rowOffsets[r + 1])`. */
export interface EventColumns {
  readonly count: number;
  readonly rowOffsets: Uint32Array;
  /** Epoch ns, low and high 32 bits. */
  readonly timeLo: Uint32Array;
  readonly timeHi: Uint32Array;
  /** Codes into {@link SpanColumns.eventNames}. */
  readonly name: Uint32Array;
  readonly shape: Uint32Array;
}

/** Links of the rows, laid out as the events are. */
export interface LinkColumns {
  readonly count: number;
  readonly rowOffsets: Uint32Array;
  /** 16 bytes a link; zeros where the link has none. */
  readonly traceId: Uint8Array;
  /** 8 bytes a link; zeros where the link has none. */
  readonly spanId: Uint8Array;
  readonly flags: Uint32Array;
  readonly shape: Uint32Array;
}

/**
 * Spans as columns: the one read interface over a batch, a row group of a sealed
 * block and whatever else holds spans. Query, copy and encode are written against it.
 *
 * Row `r` is one span. All arrays have `rows` entries unless said otherwise. Nothing
 * may be written to.
 */
export interface SpanColumns {
  readonly rows: number;
  /** 16 bytes a row. */
  readonly traceId: Uint8Array;
  /** 8 bytes a row. */
  readonly spanId: Uint8Array;
  /** 8 bytes a row; zeros for a span without parent. */
  readonly parentSpanId: Uint8Array;
  /** Start, Unix epoch ns, low 32 bits; 64-bit columns are pairs since BigUint64Array is 12 times slower. */
  readonly startLo: Uint32Array;
  readonly startHi: Uint32Array;
  /** End minus start, as a wrapping 64-bit number; negative (two's complement) where a span ends before it starts. */
  readonly durationLo: Uint32Array;
  readonly durationHi: Uint32Array;
  /** `Span.flags` as sent. */
  readonly flags: Uint32Array;
  /** `SpanKind` 0 to 254; {@link IN_FIELD}: see field `kind`. */
  readonly kind: Uint8Array;
  /** 0: no status message was sent; 1 + `StatusCode` otherwise, see {@link StatusByte}; {@link IN_FIELD}: see field `status.code`. */
  readonly status: Uint8Array;
  /** Codes into {@link names}. */
  readonly name: Uint32Array;
  /** Codes into {@link resources}. */
  readonly resource: Uint32Array;
  /** Codes into {@link scopes}. */
  readonly scope: Uint32Array;
  /** Indexes into {@link shapes}. */
  readonly shape: Uint32Array;

  /** Span names. */
  readonly names: SymbolTable;
  /** Each entry is canonical protobuf bytes of a `ResourceSpans` without its scope spans. */
  readonly resources: SymbolTable;
  /** Each entry is canonical protobuf bytes of a `ScopeSpans` without its spans. */
  readonly scopes: SymbolTable;
  readonly eventNames: SymbolTable;
  /** Attribute keys, and names of fields (see `FIELD_KEYS`). */
  readonly keys: SymbolTable;

  readonly shapes: ShapeTable;
  readonly columns: readonly AttributeColumn[];
  /** Undefined where attributes are kept by column only. */
  readonly cells: CellTable | undefined;
  readonly events: EventColumns | undefined;
  readonly links: LinkColumns | undefined;
}
