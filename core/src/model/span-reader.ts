// SPDX-License-Identifier: Apache-2.0
import {
  AttributeLevel,
  type Attribute,
  type AttributeValue,
  FIELD_KEYS,
  ValueType,
} from './attributes.ts';
import { formatHex, formatSpanId, formatTraceId, type SpanId } from './ids.ts';
import { RowValues } from './row-cursor.ts';
import type { Resource, Scope, Span, SpanEvent, SpanLink } from './span.ts';
import { IN_FIELD, type SpanColumns, StatusByte, type SymbolTable } from './span-columns.ts';
import { decodeText } from './utf8.ts';
import { decodeResource, decodeScope, decodeValue } from './value-decoder.ts';

/** Text of a symbol. */
export function symbolText(table: SymbolTable, code: number): string {
  return decodeText(table.bytes, table.offsets[code]!, table.offsets[code + 1]!);
}

/** Bytes of a symbol, not copied. */
export function symbolBytes(table: SymbolTable, code: number): Uint8Array {
  return table.bytes.subarray(table.offsets[code], table.offsets[code + 1]);
}

/** 64-bit unsigned number from its halves. */
export function uint64(lo: number, hi: number): bigint {
  return (BigInt(hi) << 32n) | BigInt(lo);
}

/** Duration of a row in ns: negative where it ends before it starts; exact up to 2^53 (104 days). */
export function durationNanos(columns: SpanColumns, row: number): number {
  return (columns.durationHi[row]! | 0) * 4294967296 + columns.durationLo[row]!;
}

/** Attributes, fields and what else hangs on one span, event or link. */
interface Owned {
  attributes: Attribute[];
  traceState: string;
  statusMessage: string;
  droppedAttributes: number;
  droppedEvents: number;
  droppedLinks: number;
  kind: number;
  statusCode: number;
  zeroParent: boolean;
  noTraceId: boolean;
  noSpanId: boolean;
}

/**
 * Turns rows into plain {@link Span} objects, for edges. Reading rows in ascending order costs least. Equal
 * resources, scopes, keys and dictionary values of one reader are the same objects.
 */
export class SpanReader {
  readonly #columns: SpanColumns;
  readonly #values: RowValues;
  readonly #resources: (Resource | undefined)[] = [];
  readonly #scopes: (Scope | undefined)[] = [];
  readonly #names: (string | undefined)[] = [];
  readonly #keys: (string | undefined)[] = [];

  constructor(columns: SpanColumns) {
    this.#columns = columns;
    this.#values = new RowValues(columns);
  }

  /** The span of a row. */
  read(row: number): Span {
    const columns = this.#columns;
    this.#values.start(row);
    const own = this.#owned(columns.shape[row]!);
    const start = uint64(columns.startLo[row]!, columns.startHi[row]!);
    const duration = uint64(columns.durationLo[row]!, columns.durationHi[row]!);
    const parent = formatHex(columns.parentSpanId, row * 8, row * 8 + 8);
    const status = columns.status[row]!;
    return {
      traceId: formatTraceId(columns.traceId, row * 16),
      spanId: formatSpanId(columns.spanId, row * 8),
      // 16 hex digits, made by formatHex.
      parentSpanId: parent === NO_ID && !own.zeroParent ? '' : (parent as SpanId),
      traceState: own.traceState,
      flags: columns.flags[row]!,
      name: this.name(row),
      kind: columns.kind[row] === IN_FIELD ? own.kind : columns.kind[row]!,
      startTimeUnixNano: start,
      endTimeUnixNano: BigInt.asUintN(64, start + duration),
      status:
        status === StatusByte.notSent
          ? undefined
          : { code: status === IN_FIELD ? own.statusCode : status - 1, message: own.statusMessage },
      attributes: own.attributes,
      droppedAttributesCount: own.droppedAttributes,
      events: this.#events(row),
      droppedEventsCount: own.droppedEvents,
      links: this.#links(row),
      droppedLinksCount: own.droppedLinks,
      resource: this.resource(row),
      scope: this.#scope(columns.scope[row]!),
    };
  }

  /** Name of a row's span. */
  name(row: number): string {
    const code = this.#columns.name[row]!;
    return (this.#names[code] ??= symbolText(this.#columns.names, code));
  }

  /** Resource of a row's span. */
  resource(row: number): Resource {
    const code = this.#columns.resource[row]!;
    return (this.#resources[code] ??= decodeResource(symbolBytes(this.#columns.resources, code)));
  }

  #scope(code: number): Scope {
    return (this.#scopes[code] ??= decodeScope(symbolBytes(this.#columns.scopes, code)));
  }

  #events(row: number): SpanEvent[] {
    const { events } = this.#columns;
    const list: SpanEvent[] = [];
    if (events === undefined) return list;
    for (let e = events.rowOffsets[row]!; e < events.rowOffsets[row + 1]!; e++) {
      const own = this.#owned(events.shape[e]!);
      list.push({
        timeUnixNano: uint64(events.timeLo[e]!, events.timeHi[e]!),
        name: symbolText(this.#columns.eventNames, events.name[e]!),
        attributes: own.attributes,
        droppedAttributesCount: own.droppedAttributes,
      });
    }
    return list;
  }

  #links(row: number): SpanLink[] {
    const { links } = this.#columns;
    const list: SpanLink[] = [];
    if (links === undefined) return list;
    for (let l = links.rowOffsets[row]!; l < links.rowOffsets[row + 1]!; l++) {
      const own = this.#owned(links.shape[l]!);
      list.push({
        traceId: own.noTraceId ? '' : formatTraceId(links.traceId, l * 16),
        spanId: own.noSpanId ? '' : formatSpanId(links.spanId, l * 8),
        traceState: own.traceState,
        flags: links.flags[l]!,
        attributes: own.attributes,
        droppedAttributesCount: own.droppedAttributes,
      });
    }
    return list;
  }

  #owned(shape: number): Owned {
    const { shapes, columns } = this.#columns;
    const own: Owned = {
      attributes: [],
      traceState: '',
      statusMessage: '',
      droppedAttributes: 0,
      droppedEvents: 0,
      droppedLinks: 0,
      kind: 0,
      statusCode: 0,
      zeroParent: false,
      noTraceId: false,
      noSpanId: false,
    };
    for (let i = shapes.offsets[shape]!; i < shapes.offsets[shape + 1]!; i++) {
      const id = shapes.columns[i]!;
      const column = columns[id]!;
      const entry = this.#values.next(id);
      const { offsets, bytes } = this.#values.table(id);
      const key = (this.#keys[column.key] ??= symbolText(this.#columns.keys, column.key));
      const value = decodeValue(column.type, bytes, offsets[entry]!, offsets[entry + 1]!);
      if (isField(column.level)) setField(own, key, value);
      else own.attributes.push({ key, value });
    }
    return own;
  }
}

const NO_ID = '0000000000000000';

/** Whether columns of this level hold fields of the message, not attributes. */
export function isField(level: AttributeLevel): boolean {
  return (level & 1) === 1;
}

function setField(own: Owned, key: string, value: AttributeValue): void {
  const text = value.type === 'string' ? value.value : '';
  const number = value.type === 'int' ? Number(value.value) : 0;
  switch (key) {
    case FIELD_KEYS.traceState:
      own.traceState = text;
      break;
    case FIELD_KEYS.statusMessage:
      own.statusMessage = text;
      break;
    case FIELD_KEYS.droppedAttributes:
      own.droppedAttributes = number;
      break;
    case FIELD_KEYS.droppedEvents:
      own.droppedEvents = number;
      break;
    case FIELD_KEYS.droppedLinks:
      own.droppedLinks = number;
      break;
    case FIELD_KEYS.kind:
      own.kind = number;
      break;
    case FIELD_KEYS.statusCode:
      own.statusCode = number;
      break;
    case FIELD_KEYS.zeroParent:
      own.zeroParent = true;
      break;
    case FIELD_KEYS.noTraceId:
      own.noTraceId = true;
      break;
    case FIELD_KEYS.noSpanId:
      own.noSpanId = true;
      break;
  }
}

/** `ValueType` names in the order of its numbers, as {@link AttributeValue} spells them. */
export const VALUE_TYPE_NAMES: readonly AttributeValue['type'][] = Object.entries(ValueType)
  .toSorted(([, a], [, b]) => a - b)
  // The keys of ValueType are the type names of AttributeValue.
  .map(([name]) => name as AttributeValue['type']);
