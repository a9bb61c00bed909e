// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel, ValueType } from '#model/attributes.ts';
import type { BatchBuilder } from '#model/batch-builder.ts';
import { hexDigit } from '#model/ids.ts';
import {
  DROPPED_ATTRIBUTES,
  DROPPED_EVENTS,
  DROPPED_LINKS,
  NO_SPAN_ID,
  NO_TRACE_ID,
  STATUS_MESSAGE,
  TRACE_STATE,
  ZERO_PARENT,
} from './field-keys.ts';
import { clearId } from './id-bytes.ts';
import { MAX_VALUE_DEPTH, type ScannedValue, TooDeep } from './canonical.ts';
import { addIntField } from './int-field.ts';
import { JsonFields } from './json-fields.ts';
import { readEnum, readUint32, readUint64 } from './json-number.ts';
import { type JsonReader, NULL_FIELD, WrongValue } from './json-reader.ts';
import { type JsonValueReader, KEY_VALUE } from './json-value.ts';
import { NO_STATUS, setKindAndStatus } from './span-enums.ts';

/**
 * Decodes spans of OTLP/JSON into rows of a {@link BatchBuilder}, by the rules of `OtlpProtoDecoder` and into the
 * same field columns. Members may come in any order; of a member that comes twice the last one counts, lists are
 * joined.
 */
export class JsonSpanDecoder {
  readonly #reader: JsonReader;
  readonly #values: JsonValueReader;
  readonly #value: ScannedValue = { type: 0, bytes: EMPTY, start: 0, end: 0 };
  #builder!: BatchBuilder;
  readonly #name = new TextRange();
  readonly #traceState = new TextRange();
  readonly #statusMessage = new TextRange();
  readonly #eventName = new TextRange();
  readonly #linkState = new TextRange();

  constructor(reader: JsonReader, values: JsonValueReader) {
    this.#reader = reader;
    this.#values = values;
  }

  /**
   * Decodes the span at the reader's position into a row whose resource and scope are then to be assigned, or leaves it out.
   * @returns what is wrong with the span; empty when it was taken
   * @throws {SpoorError} malformed
   */
  decode(builder: BatchBuilder): string {
    this.#builder = builder;
    const reader = this.#reader;
    const start = reader.position;
    reader.forgetTexts();
    const row = builder.beginSpan();
    let problem: string;
    try {
      problem = this.#span(row);
    } catch (error) {
      if (error instanceof WrongValue) problem = error.message;
      else if (error instanceof TooDeep) problem = TOO_DEEP;
      else throw error;
      reader.position = start;
      reader.skipValue();
    }
    if (problem === '') builder.endSpan();
    else builder.abortSpan();
    return problem;
  }

  #span(row: number): string {
    const reader = this.#reader;
    const builder = this.#builder;
    let startLo = 0;
    let startHi = 0;
    let endLo = 0;
    let endHi = 0;
    let kind = 0;
    let flags = 0;
    let status = NO_STATUS;
    let traceId: IdForm = ID_NOT_SENT;
    let spanId: IdForm = ID_NOT_SENT;
    let parentId: IdForm = ID_NOT_SENT;
    let droppedAttributes = 0;
    let droppedEvents = 0;
    let droppedLinks = 0;
    this.#name.clear();
    this.#traceState.clear();
    this.#statusMessage.clear();

    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      switch (reader.field(SPAN)) {
        case 1:
          traceId = this.#id(builder.traceId, row * 16, 16);
          break;
        case 2:
          spanId = this.#id(builder.spanId, row * 8, 8);
          break;
        case 3:
          this.#traceState.read(reader);
          break;
        case 4:
          parentId = this.#id(builder.parentSpanId, row * 8, 8);
          break;
        case 5:
          this.#name.read(reader);
          break;
        case 6:
          kind = readEnum(reader, SPAN_KIND);
          break;
        case 7:
          readUint64(reader);
          startLo = reader.lo;
          startHi = reader.hi;
          break;
        case 8:
          readUint64(reader);
          endLo = reader.lo;
          endHi = reader.hi;
          break;
        case 9:
          this.#attributes(AttributeLevel.span);
          break;
        case 10:
          droppedAttributes = readUint32(reader);
          break;
        case 11:
          for (let some = reader.enterList(); some; some = reader.nextItem()) this.#event();
          break;
        case 12:
          droppedEvents = readUint32(reader);
          break;
        case 13:
          for (let some = reader.enterList(); some; some = reader.nextItem()) this.#link();
          break;
        case 14:
          droppedLinks = readUint32(reader);
          break;
        case 15:
          status = this.#status();
          break;
        case 16:
          flags = readUint32(reader);
          break;
        case NULL_FIELD:
          break;
        default:
          reader.unknown();
      }
    }

    if (traceId !== ID_GOOD) return idProblem('trace id', traceId, 16);
    if (spanId !== ID_GOOD) return idProblem('span id', spanId, 8);
    if (parentId === ID_WRONG) return idProblem('parent span id', parentId, 8);
    this.#textField(AttributeLevel.spanField, TRACE_STATE, this.#traceState);
    this.#textField(AttributeLevel.spanField, STATUS_MESSAGE, this.#statusMessage);
    this.#countField(AttributeLevel.spanField, DROPPED_ATTRIBUTES, droppedAttributes);
    this.#countField(AttributeLevel.spanField, DROPPED_EVENTS, droppedEvents);
    this.#countField(AttributeLevel.spanField, DROPPED_LINKS, droppedLinks);
    if (parentId === ID_NOT_SENT) clearId(builder.parentSpanId, row * 8, 8);
    else if (parentId === ID_ZERO) this.#emptyField(AttributeLevel.spanField, ZERO_PARENT);
    setKindAndStatus(builder, row, kind, status);
    builder.startLo[row] = startLo;
    builder.startHi[row] = startHi;
    builder.durationLo[row] = endLo - startLo;
    builder.durationHi[row] = endHi - startHi - (endLo < startLo ? 1 : 0);
    builder.flags[row] = flags;
    const name = this.#name;
    builder.name[row] = builder.internName(name.bytes, name.start, name.end);
    return '';
  }

  #event(): void {
    const reader = this.#reader;
    const builder = this.#builder;
    const event = builder.beginEvent();
    const name = this.#eventName;
    name.clear();
    let timeLo = 0;
    let timeHi = 0;
    let dropped = 0;
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      switch (reader.field(EVENT)) {
        case 1:
          readUint64(reader);
          timeLo = reader.lo;
          timeHi = reader.hi;
          break;
        case 2:
          name.read(reader);
          break;
        case 3:
          this.#attributes(AttributeLevel.event);
          break;
        case 4:
          dropped = readUint32(reader);
          break;
        case NULL_FIELD:
          break;
        default:
          reader.unknown();
      }
    }
    this.#countField(AttributeLevel.eventField, DROPPED_ATTRIBUTES, dropped);
    builder.eventTimeLo[event] = timeLo;
    builder.eventTimeHi[event] = timeHi;
    builder.eventName[event] = builder.eventNames.internText(name.bytes, name.start, name.end);
    builder.endEvent();
  }

  #link(): void {
    const reader = this.#reader;
    const builder = this.#builder;
    const start = reader.position;
    const link = builder.beginLink();
    const traceState = this.#linkState;
    traceState.clear();
    let traceId: IdForm = ID_NOT_SENT;
    let spanId: IdForm = ID_NOT_SENT;
    let flags = 0;
    let dropped = 0;
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      switch (reader.field(LINK)) {
        case 1:
          traceId = this.#id(builder.linkTraceId, link * 16, 16);
          break;
        case 2:
          spanId = this.#id(builder.linkSpanId, link * 8, 8);
          break;
        case 3:
          traceState.read(reader);
          break;
        case 4:
          this.#attributes(AttributeLevel.link);
          break;
        case 5:
          dropped = readUint32(reader);
          break;
        case 6:
          flags = readUint32(reader);
          break;
        case NULL_FIELD:
          break;
        default:
          reader.unknown();
      }
    }
    if (traceId === ID_WRONG) reader.wrong(idProblem('trace id of a link', traceId, 16), start);
    if (spanId === ID_WRONG) reader.wrong(idProblem('span id of a link', spanId, 8), start);
    this.#textField(AttributeLevel.linkField, TRACE_STATE, traceState);
    this.#countField(AttributeLevel.linkField, DROPPED_ATTRIBUTES, dropped);
    if (traceId === ID_NOT_SENT) {
      clearId(builder.linkTraceId, link * 16, 16);
      this.#emptyField(AttributeLevel.linkField, NO_TRACE_ID);
    }
    if (spanId === ID_NOT_SENT) {
      clearId(builder.linkSpanId, link * 8, 8);
      this.#emptyField(AttributeLevel.linkField, NO_SPAN_ID);
    }
    builder.linkFlags[link] = flags;
    builder.endLink();
  }

  /** @returns the code's 32 bits, unsigned */
  #status(): number {
    const reader = this.#reader;
    let code = 0;
    this.#statusMessage.clear();
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const field = reader.field(STATUS);
      if (field === 2) this.#statusMessage.read(reader);
      else if (field === 3) code = readEnum(reader, STATUS_CODE_NAMES);
      else if (field !== NULL_FIELD) reader.unknown();
    }
    return code;
  }

  #attributes(level: AttributeLevel): void {
    const reader = this.#reader;
    const value = this.#value;
    for (let some = reader.enterList(); some; some = reader.nextItem()) {
      let key = EMPTY;
      let keyStart = 0;
      let keyEnd = 0;
      value.type = ValueType.absent;
      value.bytes = EMPTY;
      value.start = 0;
      value.end = 0;
      for (let more = reader.enterObject(); more; more = reader.nextMember()) {
        const field = reader.field(KEY_VALUE);
        if (field === 1) {
          reader.string();
          key = reader.textBytes;
          keyStart = reader.textStart;
          keyEnd = reader.textEnd;
        } else if (field === 2) this.#values.scan(value);
        else if (field !== NULL_FIELD) reader.unknown();
      }
      this.#builder.attribute(
        level,
        value.type,
        key,
        keyStart,
        keyEnd,
        value.bytes,
        value.start,
        value.end,
      );
    }
  }

  /** Reads an id in hex of either case into `target[offset, offset + size)`. */
  #id(target: Uint8Array, offset: number, size: number): IdForm {
    const reader = this.#reader;
    reader.string();
    const { textBytes, textStart, textEnd } = reader;
    if (textEnd === textStart) return ID_NOT_SENT;
    if (textEnd - textStart !== size * 2) return ID_WRONG;
    let some = 0;
    for (let i = 0, at = textStart; i < size; i++, at += 2) {
      const high = hexDigit(textBytes[at]!);
      const low = hexDigit(textBytes[at + 1]!);
      if ((high | low) < 0) return ID_WRONG;
      const byte = (high << 4) | low;
      target[offset + i] = byte;
      some |= byte;
    }
    return some === 0 ? ID_ZERO : ID_GOOD;
  }

  #textField(level: AttributeLevel, key: Uint8Array, text: TextRange): void {
    const { bytes, start, end } = text;
    if (end === start) return;
    this.#builder.attribute(level, ValueType.string, key, 0, key.length, bytes, start, end);
  }

  #countField(level: AttributeLevel, key: Uint8Array, count: number): void {
    if (count !== 0) this.#intField(level, key, count, 0);
  }

  #intField(level: AttributeLevel, key: Uint8Array, lo: number, hi: number): void {
    addIntField(this.#builder, level, key, lo, hi);
  }

  #emptyField(level: AttributeLevel, key: Uint8Array): void {
    this.#builder.attribute(level, ValueType.empty, key, 0, key.length, EMPTY, 0, 0);
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);

/** A text kept until its span ends. */
class TextRange {
  bytes: Uint8Array = EMPTY;
  start = 0;
  end = 0;

  clear(): void {
    this.bytes = EMPTY;
    this.start = this.end = 0;
  }

  read(reader: JsonReader): void {
    reader.string();
    this.bytes = reader.textBytes;
    this.start = reader.textStart;
    this.end = reader.textEnd;
  }
}

const ID_NOT_SENT = 0;
const ID_GOOD = 1;
const ID_ZERO = 2;
const ID_WRONG = 3;
type IdForm = 0 | 1 | 2 | 3;

function idProblem(what: string, form: IdForm, bytes: number): string {
  if (form === ID_ZERO) return `its ${what} is all zeros`;
  return form === ID_NOT_SENT
    ? `it has no ${what}`
    : `its ${what} is not of ${bytes * 2} hex digits`;
}

const TOO_DEEP = `an attribute value is nested over ${MAX_VALUE_DEPTH} deep`;

/** @see https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/opentelemetry/proto/trace/v1/trace.proto */
const SPAN = JsonFields.ofMessage({
  trace_id: 1,
  span_id: 2,
  trace_state: 3,
  parent_span_id: 4,
  name: 5,
  kind: 6,
  start_time_unix_nano: 7,
  end_time_unix_nano: 8,
  attributes: 9,
  dropped_attributes_count: 10,
  events: 11,
  dropped_events_count: 12,
  links: 13,
  dropped_links_count: 14,
  status: 15,
  flags: 16,
});

const EVENT = JsonFields.ofMessage({
  time_unix_nano: 1,
  name: 2,
  attributes: 3,
  dropped_attributes_count: 4,
});

const LINK = JsonFields.ofMessage({
  trace_id: 1,
  span_id: 2,
  trace_state: 3,
  attributes: 4,
  dropped_attributes_count: 5,
  flags: 6,
});

const STATUS = JsonFields.ofMessage({ message: 2, code: 3 });

/** Names of enum numbers, each with its number plus 1. OTLP/JSON has no names; proto3 JSON has. */
const SPAN_KIND = new JsonFields({
  SPAN_KIND_UNSPECIFIED: 1,
  SPAN_KIND_INTERNAL: 2,
  SPAN_KIND_SERVER: 3,
  SPAN_KIND_CLIENT: 4,
  SPAN_KIND_PRODUCER: 5,
  SPAN_KIND_CONSUMER: 6,
});

const STATUS_CODE_NAMES = new JsonFields({
  STATUS_CODE_UNSET: 1,
  STATUS_CODE_OK: 2,
  STATUS_CODE_ERROR: 3,
});
