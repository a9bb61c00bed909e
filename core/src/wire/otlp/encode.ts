// SPDX-License-Identifier: Apache-2.0
import { FIELD_KEYS, ValueType } from '#model/attributes.ts';
import { isZeroSpanId } from '#model/ids.ts';
import { RowValues } from '#model/row-cursor.ts';
import { IN_FIELD, type SpanColumns, StatusByte, type SymbolTable } from '#model/span-columns.ts';
import { isField, symbolBytes, symbolText } from '#model/span-reader.ts';
import { getUint32 } from '#model/uint32.ts';
import { ProtoWriter } from '#wire/protobuf/writer.ts';

/**
 * Encodes rows as protobuf `TracesData` (`ExportTraceServiceRequest` has the same form). Rows that follow one another with
 * the same resource and scope share a `ResourceSpans` and a `ScopeSpans`. Fields are in ascending order and numbers minimal, so equal
 * spans are equal bytes.
 */
export class OtlpProtoEncoder {
  readonly #columns: SpanColumns;
  readonly #values: RowValues;
  readonly #writer: ProtoWriter;
  /** What the field columns of the message under way said. */
  readonly #fields = new Map<string, Field>();
  /** The attributes of the message under way: column, and entry of the value. */
  readonly #ownIds: number[] = [];
  readonly #ownEntries: number[] = [];
  #ownCount = 0;
  readonly #keys: string[] = [];

  /** @param writer used for every call, so that who encodes batch after batch spares growing one each time */
  constructor(columns: SpanColumns, writer = new ProtoWriter(4096)) {
    this.#columns = columns;
    this.#values = new RowValues(columns);
    this.#writer = writer;
  }

  /** The rows `[start, end)`, all by default. */
  encode(start = 0, end = this.#columns.rows): Uint8Array<ArrayBuffer> {
    return this.encodeRows(Uint32Array.from({ length: end - start }, (_, i) => start + i));
  }

  /** Some rows; ascending ones cost least. */
  encodeRows(rows: Uint32Array): Uint8Array<ArrayBuffer> {
    const { resource, scope, resources, scopes } = this.#columns;
    const writer = this.#writer;
    writer.clear();
    let i = 0;
    while (i < rows.length) {
      const resourceAt = writer.begin(1);
      const resourceCode = resource[rows[i]!]!;
      writer.raw(symbolBytes(resources, resourceCode));
      while (i < rows.length && resource[rows[i]!] === resourceCode) {
        const scopeAt = writer.begin(2);
        const scopeCode = scope[rows[i]!]!;
        writer.raw(symbolBytes(scopes, scopeCode));
        for (; i < rows.length; i++) {
          const row = rows[i]!;
          if (resource[row] !== resourceCode || scope[row] !== scopeCode) break;
          const spanAt = writer.begin(2);
          this.#span(row);
          writer.end(spanAt);
        }
        writer.end(scopeAt);
      }
      writer.end(resourceAt);
    }
    return writer.toBytes();
  }

  #span(row: number): void {
    const columns = this.#columns;
    const writer = this.#writer;
    this.#values.start(row);
    this.#own(columns.shape[row]!);
    // Events and links have fields of their own, and come before the last ones of the span.
    const fields = this.#fields.size === 0 ? NO_FIELDS : new Map(this.#fields);
    writer.bytesField(1, columns.traceId, row * 16, row * 16 + 16);
    writer.bytesField(2, columns.spanId, row * 8, row * 8 + 8);
    this.#textField(3, fields.get(FIELD_KEYS.traceState)?.bytes);
    if (!isZeroSpanId(columns.parentSpanId, row * 8) || fields.has(FIELD_KEYS.zeroParent)) {
      writer.bytesField(4, columns.parentSpanId, row * 8, row * 8 + 8);
    }
    this.#symbolField(5, columns.names, columns.name[row]!);
    this.#enumField(6, columns.kind[row]!, fields.get(FIELD_KEYS.kind)?.lo);
    const startLo = columns.startLo[row]!;
    const endLo = startLo + columns.durationLo[row]!;
    const carry = endLo > 0xffffffff ? 1 : 0;
    writer.fixed64Field(7, startLo, columns.startHi[row]!);
    writer.fixed64Field(
      8,
      endLo >>> 0,
      (columns.startHi[row]! + columns.durationHi[row]! + carry) >>> 0,
    );
    this.#attributes(9);
    writer.uintField(10, fields.get(FIELD_KEYS.droppedAttributes)?.lo ?? 0);
    this.#events(row);
    writer.uintField(12, fields.get(FIELD_KEYS.droppedEvents)?.lo ?? 0);
    this.#links(row);
    writer.uintField(14, fields.get(FIELD_KEYS.droppedLinks)?.lo ?? 0);
    const status = columns.status[row]!;
    if (status !== StatusByte.notSent) {
      const at = writer.begin(15);
      this.#textField(2, fields.get(FIELD_KEYS.statusMessage)?.bytes);
      this.#enumField(
        3,
        status === IN_FIELD ? IN_FIELD : status - 1,
        fields.get(FIELD_KEYS.statusCode)?.lo,
      );
      writer.end(at);
    }
    writer.fixed32Field(16, columns.flags[row]!);
  }

  #events(row: number): void {
    const { events, eventNames } = this.#columns;
    if (events === undefined) return;
    const writer = this.#writer;
    for (let e = events.rowOffsets[row]!; e < events.rowOffsets[row + 1]!; e++) {
      const at = writer.begin(11);
      this.#own(events.shape[e]!);
      writer.fixed64Field(1, events.timeLo[e]!, events.timeHi[e]!);
      this.#symbolField(2, eventNames, events.name[e]!);
      this.#attributes(3);
      writer.uintField(4, this.#fields.get(FIELD_KEYS.droppedAttributes)?.lo ?? 0);
      writer.end(at);
    }
  }

  #links(row: number): void {
    const { links } = this.#columns;
    if (links === undefined) return;
    const writer = this.#writer;
    for (let l = links.rowOffsets[row]!; l < links.rowOffsets[row + 1]!; l++) {
      const at = writer.begin(13);
      this.#own(links.shape[l]!);
      if (!this.#fields.has(FIELD_KEYS.noTraceId)) {
        writer.bytesField(1, links.traceId, l * 16, l * 16 + 16);
      }
      if (!this.#fields.has(FIELD_KEYS.noSpanId)) {
        writer.bytesField(2, links.spanId, l * 8, l * 8 + 8);
      }
      this.#textField(3, this.#fields.get(FIELD_KEYS.traceState)?.bytes);
      this.#attributes(4);
      writer.uintField(5, this.#fields.get(FIELD_KEYS.droppedAttributes)?.lo ?? 0);
      writer.fixed32Field(6, links.flags[l]!);
      writer.end(at);
    }
  }

  /** Fetches the values of a shape: attributes into the lists, fields into the map. */
  #own(shape: number): void {
    const { shapes, columns } = this.#columns;
    this.#ownCount = 0;
    if (this.#fields.size > 0) this.#fields.clear();
    for (let i = shapes.offsets[shape]!; i < shapes.offsets[shape + 1]!; i++) {
      const id = shapes.columns[i]!;
      const column = columns[id]!;
      const entry = this.#values.next(id);
      if (!isField(column.level)) {
        this.#ownIds[this.#ownCount] = id;
        this.#ownEntries[this.#ownCount++] = entry;
        continue;
      }
      const bytes = symbolBytes(this.#values.table(id), entry);
      const lo = column.type === ValueType.int ? getUint32(bytes, 0) : 0;
      this.#fields.set((this.#keys[column.key] ??= symbolText(this.#columns.keys, column.key)), {
        lo,
        bytes,
      });
    }
  }

  /** Writes the attributes that were fetched last. */
  #attributes(field: number): void {
    const writer = this.#writer;
    const { columns, keys } = this.#columns;
    for (let i = 0; i < this.#ownCount; i++) {
      const id = this.#ownIds[i]!;
      const entry = this.#ownEntries[i]!;
      const { key, type } = columns[id]!;
      const at = writer.begin(field);
      this.#symbolField(1, keys, key);
      if (type !== ValueType.absent) {
        const { bytes, offsets } = this.#values.table(id);
        const valueAt = writer.begin(2);
        encodeValue(writer, type, bytes, offsets[entry], offsets[entry + 1]);
        writer.end(valueAt);
      }
      writer.end(at);
    }
  }

  #symbolField(field: number, { bytes, offsets }: SymbolTable, code: number): void {
    const start = offsets[code]!;
    const end = offsets[code + 1]!;
    if (end > start) this.#writer.bytesField(field, bytes, start, end);
  }

  #textField(field: number, bytes: Uint8Array | undefined): void {
    if (bytes !== undefined && bytes.length > 0) this.#writer.bytesField(field, bytes);
  }

  /** An enum; IN_FIELD says that a field has the number. Negative numbers take ten bytes on the wire. */
  #enumField(field: number, value: number, odd: number | undefined): void {
    if (value !== IN_FIELD) this.#writer.uintField(field, value);
    else if (odd !== undefined && odd !== 0) {
      this.#writer.varint(field * 8);
      this.#writer.varint64(odd, odd >> 31);
    }
  }
}

/** Fields of a span that has none, as most do. */
const NO_FIELDS: ReadonlyMap<string, Field> = new Map();

/** What a field column says. */
interface Field {
  /** Low half of a number. */
  readonly lo: number;
  readonly bytes: Uint8Array;
}

/** Writes the fields of an `AnyValue` from canonical bytes. */
export function encodeValue(
  writer: ProtoWriter,
  type: ValueType,
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): void {
  switch (type) {
    case ValueType.absent:
    case ValueType.empty:
      return;
    case ValueType.bool:
      writer.varint(type * 8);
      writer.varint(bytes[start]!);
      return;
    case ValueType.int:
      writer.varint(type * 8);
      writer.varint64(getUint32(bytes, start), getUint32(bytes, start + 4));
      return;
    case ValueType.double:
      writer.varint(type * 8 + 1);
      writer.raw(bytes, start, end);
      return;
    default:
      writer.bytesField(type, bytes, start, end);
  }
}
