// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel, ValueType } from '#model/attributes.ts';
import type { BatchBuilder } from '#model/batch-builder.ts';
import { SpanKind } from '#model/span.ts';
import { StatusByte } from '#model/span-columns.ts';
import { decodeText, encodeText } from '#model/utf8.ts';
import { addText, ScopeTags } from '#wire/mapping/scope-tags.ts';
import { KINDS, SPECIAL_TAGS, SpecialTag, STATUS_CODES } from '#wire/mapping/special-tags.ts';
import { TagText } from '#wire/mapping/tag-text.ts';
import { STATUS_MESSAGE, TRACE_STATE } from '#wire/otlp/field-keys.ts';
import { isZero } from '#wire/otlp/id-bytes.ts';
import { JaegerReferences, RefType } from './references.ts';
import { JaegerTag } from './tag.ts';

/** Bit of Jaeger's flags that means sampled, as in OpenTelemetry's. */
const SAMPLED = 1;

/**
 * One span of Jaeger on its way into a row of a {@link BatchBuilder}: the mapping that both of Jaeger's encodings share,
 * which is that of OpenTelemetry's collector, but that nothing is renamed and nothing thrown away.
 *
 * For each span: `begin`; tags, logs and references in any order; the public fields; `finish`.
 * @see https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger/
 */
export class JaegerRow {
  /** The tag under way. */
  readonly tag = new JaegerTag();
  readonly references = new JaegerReferences();
  row = 0;
  /** Jaeger's flags: 1 sampled, 2 debug. */
  flags = 0;
  /** Epoch ns and ns. */
  startLo = 0;
  startHi = 0;
  durationLo = 0;
  durationHi = 0;
  /** The operation's name is a range of the body. */
  nameStart = 0;
  nameEnd = 0;
  /** What is wrong with the span; empty when nothing is. */
  problem = '';
  #builder!: BatchBuilder;
  #body: Uint8Array = EMPTY;
  #kind: number = SpanKind.unspecified;
  #hasError = false;
  /** As `StatusByte`. */
  #status: number = StatusByte.notSent;
  /** A number out of `http.status_code`; -1 when there is none. */
  #httpStatus = -1;
  readonly #description = new TagText();
  readonly #traceState = new TagText();
  readonly #httpMessage = new TagText();
  readonly #scope = new ScopeTags();
  readonly #scalar = new JaegerTag();
  #event = 0;
  readonly #eventName = new TagText();

  /** Opens a row. */
  begin(builder: BatchBuilder, body: Uint8Array): void {
    this.#builder = builder;
    this.#body = body;
    this.tag.body = body;
    this.row = builder.beginSpan();
    this.references.clear();
    this.flags = 0;
    this.startLo = this.startHi = this.durationLo = this.durationHi = 0;
    this.nameStart = this.nameEnd = 0;
    this.problem = '';
    this.#kind = SpanKind.unspecified;
    this.#hasError = false;
    this.#status = StatusByte.notSent;
    this.#httpStatus = -1;
    this.#description.clear();
    this.#traceState.clear();
    this.#httpMessage.clear();
    this.#scope.clear();
    // Stores, since a call of `fill` costs more than these few.
    const { row } = this;
    const { traceWords, spanWords, parentWords } = builder;
    for (let i = 0; i < 4; i++) traceWords[row * 4 + i] = 0;
    for (let i = 0; i < 2; i++) spanWords[row * 2 + i] = parentWords[row * 2 + i] = 0;
  }

  /** Takes the tag under way as one of the span. */
  addTag(): void {
    const { tag } = this;
    const special = SPECIAL_TAGS.find(this.#body, tag.keyStart, tag.keyEnd);
    if (special === 0 || !this.#takeSpecial(special)) this.#attribute(AttributeLevel.span, tag);
  }

  /** Opens a log. */
  beginLog(): void {
    this.#event = this.#builder.beginEvent();
    this.#eventName.clear();
  }

  /** Takes the tag under way as a field of the log. Its `event` is the name in OpenTelemetry. */
  addField(): void {
    const { tag } = this;
    if (tag.isString && !this.#eventName.isThere && isEvent(this.#body, tag)) {
      this.#eventName.set(this.#body, tag.start, tag.end);
    } else this.#attribute(AttributeLevel.event, tag);
  }

  /** Closes the log. */
  endLog(timeLo: number, timeHi: number): void {
    const builder = this.#builder;
    const name = this.#eventName;
    builder.eventTimeLo[this.#event] = timeLo;
    builder.eventTimeHi[this.#event] = timeHi;
    builder.eventName[this.#event] = builder.eventNames.internText(
      name.bytes,
      name.start,
      name.end,
    );
    builder.endEvent();
  }

  /**
   * Fills the rest of the row, which the caller then closes or takes back.
   * @param resource code of the process
   * @returns what is wrong with the span; empty when nothing is
   * @throws {SpoorError} too_large
   */
  finish(resource: number): string {
    const builder = this.#builder;
    const { row } = this;
    if (isZero(builder.traceWords, row * 4, 4)) this.problem ||= 'its trace id is all zeros';
    if (isZero(builder.spanWords, row * 2, 2)) this.problem ||= 'its span id is all zeros';
    if (this.problem !== '') return this.problem;
    this.#finishReferences();
    this.#finishStatus();
    this.#scope.finish(builder, row);
    this.#field(TRACE_STATE, this.#traceState);
    if ((this.flags & ~SAMPLED) !== 0) {
      this.#scalar.set64(ValueType.int, this.flags, this.flags < 0 ? -1 : 0);
      const { value, start, end } = this.#scalar;
      builder.attribute(
        AttributeLevel.span,
        ValueType.int,
        FLAGS_KEY,
        0,
        FLAGS_KEY.length,
        value,
        start,
        end,
      );
    }
    builder.flags[row] = this.flags & SAMPLED;
    builder.kind[row] = this.#kind;
    builder.startLo[row] = this.startLo;
    builder.startHi[row] = this.startHi;
    builder.durationLo[row] = this.durationLo;
    builder.durationHi[row] = this.durationHi;
    builder.name[row] = builder.internName(this.#body, this.nameStart, this.nameEnd);
    builder.resource[row] = resource;
    return '';
  }

  /** Keeps a special tag of the type that makes it one. @returns false when it is an attribute like any other, too */
  #takeSpecial(special: number): boolean {
    const { tag } = this;
    if (special === SpecialTag.error) {
      // Only a boolean: old instrumentations put texts of their own here.
      if (tag.type !== ValueType.bool || tag.value[tag.start] !== 1 || this.#hasError) return false;
      this.#hasError = true;
      return true;
    }
    if (special === SpecialTag.httpStatusCode) {
      if (this.#httpStatus < 0) this.#httpStatus = this.#readHttpStatus();
      return false;
    }
    if (!tag.isString) return false;
    if (special === SpecialTag.spanKind) {
      const kind = KINDS.find(this.#body, tag.start, tag.end);
      if (kind === 0 || this.#kind !== SpanKind.unspecified) return false;
      this.#kind = kind;
      return true;
    }
    if (special === SpecialTag.statusCode) {
      const status = STATUS_CODES.find(this.#body, tag.start, tag.end);
      if (status === 0 || this.#status !== StatusByte.notSent) return false;
      this.#status = status;
      return true;
    }
    if (special === SpecialTag.statusDescription) return this.#keep(this.#description);
    if (special === SpecialTag.traceState) return this.#keep(this.#traceState);
    if (special === SpecialTag.httpStatusMessage) {
      this.#keep(this.#httpMessage);
      return false;
    }
    return this.#scope.take(special, this.#body, tag.start, tag.end);
  }

  #keep(text: TagText): boolean {
    if (text.isThere) return false;
    text.set(this.#body, this.tag.start, this.tag.end);
    return true;
  }

  #readHttpStatus(): number {
    const { tag } = this;
    const { value, start, end } = tag;
    if (tag.type === ValueType.int) {
      const isSmall = value.subarray(start + 2, end).every((byte) => byte === 0);
      return isSmall ? value[start]! | (value[start + 1]! << 8) : -1;
    }
    if (!tag.isString || end - start !== 3) return -1;
    const code = Number(decodeText(value, start, end));
    return Number.isInteger(code) ? code : -1;
  }

  /** The parent is named as such, or else by a reference to the same trace; all other references are links. */
  #finishReferences(): void {
    const { references, row } = this;
    if (references.count === 0) return;
    const { traceId, parentSpanId, parentWords } = this.#builder;
    if (isZero(parentWords, row * 2, 2)) {
      let parent = -1;
      for (let i = 0; i < references.count; i++) {
        if (!references.isOfTrace(i, traceId, row * 16)) continue;
        if (references.types[i] === RefType.childOf) {
          parent = i;
          break;
        }
        if (parent < 0 && references.types[i] === RefType.followsFrom) parent = i;
      }
      if (parent >= 0) references.copySpanId(parent, parentSpanId, row * 8);
    }
    for (let i = 0; i < references.count; i++) {
      const isParent =
        references.types[i] === RefType.childOf &&
        references.isOfTrace(i, traceId, row * 16) &&
        references.isToSpan(i, parentSpanId, row * 8);
      if (!isParent) this.#link(i);
    }
  }

  #link(index: number): void {
    const builder = this.#builder;
    const { references } = this;
    const link = builder.beginLink();
    references.copyTo(index, builder.linkTraceId, link, builder.linkSpanId);
    builder.linkFlags[link] = 0;
    const type = references.types[index] === RefType.childOf ? CHILD_OF : FOLLOWS_FROM;
    builder.attribute(
      AttributeLevel.link,
      ValueType.string,
      REF_TYPE_KEY,
      0,
      REF_TYPE_KEY.length,
      type,
      0,
      type.length,
    );
    builder.endLink();
  }

  /** The error tag counts most, then what OpenTelemetry says, then HTTP's status. */
  #finishStatus(): void {
    const builder = this.#builder;
    const description = this.#description;
    const httpMessage = this.#httpMessage;
    let status = this.#status;
    let message = description;
    if (this.#hasError) {
      status = StatusByte.error;
      if (!description.isThere) message = httpMessage;
    } else if (status === StatusByte.notSent) {
      if (isHttpError(this.#httpStatus, this.#kind)) {
        status = StatusByte.error;
        message = httpMessage;
      }
      if (description.isThere) addText(builder, DESCRIPTION_KEY, description);
    }
    builder.status[this.row] = status;
    if (status !== StatusByte.notSent) this.#field(STATUS_MESSAGE, message);
  }

  #field(key: Uint8Array, text: TagText): void {
    if (text.isEmpty) return;
    const { bytes, start, end } = text;
    const { string } = ValueType;
    const { spanField } = AttributeLevel;
    this.#builder.attribute(spanField, string, key, 0, key.length, bytes, start, end);
  }

  #attribute(level: AttributeLevel, tag: JaegerTag): void {
    const builder = this.#builder;
    const body = this.#body;
    const { encodedStart, encodedEnd } = tag;
    if (builder.repeat(level, body, encodedStart, encodedEnd)) return;
    const { keyStart, keyEnd, type, value, start, end } = tag;
    builder.attribute(level, type, body, keyStart, keyEnd, value, start, end);
    builder.remember(level, body, encodedStart, encodedEnd);
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);

/** Attribute that keeps the flags beside `sampled`. */
const FLAGS_KEY = encodeText('jaeger.flags');
const DESCRIPTION_KEY = encodeText('otel.status_description');
/** @see https://opentelemetry.io/docs/specs/semconv/registry/attributes/opentracing/ */
const REF_TYPE_KEY = encodeText('opentracing.ref_type');
const CHILD_OF = encodeText('child_of');
const FOLLOWS_FROM = encodeText('follows_from');
const EVENT = encodeText('event');

function isEvent(body: Uint8Array, { keyStart, keyEnd }: JaegerTag): boolean {
  if (keyEnd - keyStart !== EVENT.length) return false;
  for (let i = 0; i < EVENT.length; i++) if (body[keyStart + i] !== EVENT[i]) return false;
  return true;
}

/** As OpenTelemetry's conventions have it: 4xx is no error to a server. */
function isHttpError(code: number, kind: number): boolean {
  if (code < 0 || (code >= 100 && code < 400)) return false;
  return !(code >= 400 && code < 500 && kind === SpanKind.server);
}
