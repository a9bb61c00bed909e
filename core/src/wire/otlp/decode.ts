// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel } from '#model/attributes.ts';
import type { BatchBuilder } from '#model/batch-builder.ts';
import { ProtoReader } from '#wire/protobuf/reader.ts';
import { AttributeDecoder } from './attribute-decoder.ts';
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
import { clearId, copyId, copyWords, isZero } from './id-bytes.ts';
import { CanonicalWriter, MAX_VALUE_DEPTH, TooDeep } from './canonical.ts';
import { GroupAhead } from './group-ahead.ts';
import { NO_STATUS, setKindAndStatus } from './span-enums.ts';
import { SymbolCache } from './symbol-cache.ts';

/** Spans between two looks at whether the slice is full. */
const SLICE_CHECK_SPANS = 64;
/** A slice ends as well after so many bytes, however few spans they held, */
const SLICE_BYTES = 1 << 20;
/** and after so many fields that hold no spans, or are looked through for what stands behind them. */
const SLICE_FIELDS = 32_768;

/**
 * Decodes `ExportTraceServiceRequest` (and `TracesData`, which has the same form) from protobuf straight into a
 * {@link BatchBuilder}: no object and no string per span.
 *
 * - Undecodable bytes throw; the caller rolls the builder back to where it was before `begin`.
 * - A span that breaks the protocol (ids of a wrong length or all zero, values nested too deep) is left out and counted.
 * - Everything else is kept as it was sent: unknown enum numbers, any times, end before start, doubled keys.
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/opentelemetry/proto/trace/v1/trace.proto
 */
export class OtlpProtoDecoder {
  /** Spans taken and left out since `begin`. */
  accepted = 0;
  rejected = 0;
  /** Why the first span was left out; empty when none was. */
  rejectedMessage = '';
  readonly #reader = new ProtoReader('otlp');
  readonly #canonical = new CanonicalWriter();
  readonly #attributes = new AttributeDecoder(this.#reader, this.#canonical);
  readonly #resources = new SymbolCache();
  readonly #scopes = new SymbolCache();
  #slices: Generator<void, void, void> | undefined;
  /** The builder of the slice under way. */
  #builder!: BatchBuilder;
  #maxSpans = 0;
  /** The slice ends when so many spans were taken or left out, or at this position. */
  #fullSpans = 0;
  #fullPosition = 0;
  /** Fields without spans that the slice may still pass. */
  #fieldsLeft = 0;

  /** Fields that this version does not know and that were passed over, since the decoder was made. */
  get unknownFields(): number {
    return this.#canonical.unknownFields;
  }

  /** Starts on a request. The bytes must not change until it is decoded. */
  begin(body: Uint8Array): void {
    this.#reader.reset(body);
    this.accepted = 0;
    this.rejected = 0;
    this.rejectedMessage = '';
    this.#slices = this.#request();
    this.#slices.next();
  }

  /**
   * Decodes about `maxSpans` spans more into the builder, which may be another one for each call.
   * @returns true when the request is done
   * @throws {SpoorError} malformed
   */
  decode(builder: BatchBuilder, maxSpans = Infinity): boolean {
    this.#builder = builder;
    this.#attributes.builder = builder;
    this.#maxSpans = maxSpans;
    this.#beginSlice();
    return this.#slices!.next().done === true;
  }

  #beginSlice(): void {
    const isWhole = this.#maxSpans === Infinity;
    this.#fullSpans = this.accepted + this.rejected + this.#maxSpans;
    this.#fullPosition = isWhole ? Infinity : this.#reader.position + SLICE_BYTES;
    this.#fieldsLeft = isWhole ? Infinity : SLICE_FIELDS;
  }

  #isFull(): boolean {
    return (
      this.accepted + this.rejected >= this.#fullSpans ||
      this.#reader.position >= this.#fullPosition ||
      this.#fieldsLeft <= 0 ||
      (this.#maxSpans !== Infinity && this.#builder.isLarge)
    );
  }

  *#request(): Generator<void, void, void> {
    yield;
    const reader = this.#reader;
    const end = reader.bytes.length;
    let sinceCheck = 0;
    while (reader.position < end) {
      if (this.#fieldsLeft-- <= 0 || reader.position >= this.#fullPosition) yield;
      const tag = reader.tag(end);
      if (tag !== 10) {
        this.#attributes.unknown(tag, end, 1);
        continue;
      }
      const resourceEnd = reader.length(end) + reader.position;
      const ofResource = new GroupAhead(reader.position);
      while (!this.#look(ofResource, resourceEnd)) yield;
      const resource = this.#resourceSymbol(ofResource);
      while (reader.position < resourceEnd) {
        if (this.#fieldsLeft-- <= 0) yield;
        const resourceTag = reader.tag(resourceEnd);
        if (resourceTag !== 18) {
          reader.skip(resourceTag, resourceEnd);
          continue;
        }
        const scopeEnd = reader.length(resourceEnd) + reader.position;
        const ofScope = new GroupAhead(reader.position);
        while (!this.#look(ofScope, scopeEnd)) yield;
        const scope = this.#scopeSymbol(ofScope);
        let resourceCode = this.#builder.resources.intern(resource, 0, resource.length);
        let scopeCode = this.#builder.scopes.intern(scope, 0, scope.length);
        while (reader.position < scopeEnd) {
          const scopeTag = reader.tag(scopeEnd);
          if (scopeTag === 18) {
            const spanEnd = reader.length(scopeEnd) + reader.position;
            this.#span(spanEnd, resourceCode, scopeCode);
          } else {
            reader.skip(scopeTag, scopeEnd);
            this.#fieldsLeft--;
          }
          if (++sinceCheck === SLICE_CHECK_SPANS || this.#builder.isLarge) {
            sinceCheck = 0;
            if (this.#isFull()) {
              yield;
              resourceCode = this.#builder.resources.intern(resource, 0, resource.length);
              scopeCode = this.#builder.scopes.intern(scope, 0, scope.length);
            }
          }
        }
      }
    }
  }

  /** The resource and schema URL of a `ResourceSpans` that was looked through. */
  #resourceSymbol({ parts, schemaUrl }: GroupAhead): Uint8Array {
    return this.#resources.get(parts?.bytes, schemaUrl, (message, url) => {
      try {
        return this.#canonical.resourceSymbol(message, url);
      } catch (error) {
        return this.#rethrow(error);
      }
    });
  }

  /** As {@link #resourceSymbol} of a `ScopeSpans`. */
  #scopeSymbol({ parts, schemaUrl }: GroupAhead): Uint8Array {
    return this.#scopes.get(parts?.bytes, schemaUrl, (message, url) => {
      try {
        return this.#canonical.scopeSymbol(message, url);
      } catch (error) {
        return this.#rethrow(error);
      }
    });
  }

  #rethrow(error: unknown): never {
    if (!(error instanceof TooDeep)) throw error;
    return this.#reader.fail(
      `attribute of a resource or scope nested over ${MAX_VALUE_DEPTH} deep`,
    );
  }

  /** @returns true when the group was looked through; false when the slice is to end first */
  #look(ahead: GroupAhead, end: number): boolean {
    this.#fieldsLeft = ahead.look(this.#reader, end, this.#fieldsLeft, (tag) => {
      this.#attributes.unknown(tag, end, 3);
    });
    return this.#fieldsLeft >= 0;
  }

  /** Decodes one span into a row of the builder, or leaves it out. */
  #span(end: number, resource: number, scope: number): void {
    const reader = this.#reader;
    const bytes = reader.bytes;
    const builder = this.#builder;
    const start = reader.position;
    const row = builder.beginSpan();
    let startLo = 0;
    let startHi = 0;
    let endLo = 0;
    let endHi = 0;
    let kind = 0;
    let flags = 0;
    let nameStart = 0;
    let nameEnd = 0;
    let traceStateStart = 0;
    let traceStateEnd = 0;
    let parentLength = 0;
    let traceIdLength = 0;
    let spanIdLength = 0;
    let status = NO_STATUS;
    let messageStart = 0;
    let messageEnd = 0;
    let droppedAttributes = 0;
    let droppedEvents = 0;
    let droppedLinks = 0;
    let problem = '';

    while (reader.position < end) {
      // Most fields are attributes, one after the other.
      if (bytes[reader.position] === ATTRIBUTE_TAG) {
        reader.position++;
        if (!this.#attribute(AttributeLevel.span, end)) problem ||= TOO_DEEP;
        continue;
      }
      const tag = reader.tag(end);
      switch (tag) {
        case 10:
          traceIdLength = reader.length(end);
          if (traceIdLength === 16) {
            copyWords(reader.view, reader.position, builder.traceWords, row * 4, 4);
          }
          reader.position += traceIdLength;
          break;
        case 18:
          spanIdLength = reader.length(end);
          if (spanIdLength === 8) {
            copyWords(reader.view, reader.position, builder.spanWords, row * 2, 2);
          }
          reader.position += spanIdLength;
          break;
        case 26:
          traceStateEnd = reader.length(end);
          traceStateStart = reader.position;
          reader.position = traceStateEnd += traceStateStart;
          break;
        case 34:
          parentLength = reader.length(end);
          if (parentLength === 8) {
            copyWords(reader.view, reader.position, builder.parentWords, row * 2, 2);
          }
          reader.position += parentLength;
          break;
        case 42:
          nameEnd = reader.length(end);
          nameStart = reader.position;
          reader.position = nameEnd += nameStart;
          break;
        case 48:
          kind = reader.varint32(end);
          break;
        case 57:
          startLo = reader.fixed32(end);
          startHi = reader.fixed32(end);
          break;
        case 65:
          endLo = reader.fixed32(end);
          endHi = reader.fixed32(end);
          break;
        // As a number of two bytes or more, which nobody writes.
        case ATTRIBUTE_TAG:
          if (!this.#attribute(AttributeLevel.span, end)) problem ||= TOO_DEEP;
          break;
        case 80:
          droppedAttributes = reader.varint32(end);
          break;
        case 90: {
          const eventEnd = reader.length(end) + reader.position;
          const eventProblem = this.#event(eventEnd);
          problem ||= eventProblem;
          break;
        }
        case 96:
          droppedEvents = reader.varint32(end);
          break;
        case 106: {
          const linkEnd = reader.length(end) + reader.position;
          const linkProblem = this.#link(linkEnd);
          problem ||= linkProblem;
          break;
        }
        case 112:
          droppedLinks = reader.varint32(end);
          break;
        case 122: {
          if (status === NO_STATUS) status = 0;
          const statusEnd = reader.length(end) + reader.position;
          while (reader.position < statusEnd) {
            const statusTag = reader.tag(statusEnd);
            if (statusTag === 24) {
              status = reader.varint32(statusEnd);
            } else if (statusTag === 18) {
              messageEnd = reader.length(statusEnd);
              messageStart = reader.position;
              reader.position = messageEnd += messageStart;
            } else this.#attributes.unknown(statusTag, statusEnd, 3, 1);
          }
          break;
        }
        case 133:
          flags = reader.fixed32(end);
          break;
        default:
          this.#attributes.unknown(tag, end, 16);
      }
    }

    if (traceIdLength !== 16 || isZero(builder.traceWords, row * 4, 4)) {
      problem ||= idProblem('trace id', traceIdLength, 16);
    } else if (spanIdLength !== 8 || isZero(builder.spanWords, row * 2, 2)) {
      problem ||= idProblem('span id', spanIdLength, 8);
    } else if (parentLength !== 0 && parentLength !== 8) {
      problem ||= idProblem('parent span id', parentLength, 8);
    }
    if (problem !== '') {
      builder.abortSpan();
      this.rejected++;
      this.rejectedMessage ||= `otlp: span at byte ${start} left out: ${problem}`;
      return;
    }

    if (traceStateEnd > traceStateStart) {
      this.#attributes.textField(
        AttributeLevel.spanField,
        TRACE_STATE,
        traceStateStart,
        traceStateEnd,
      );
    }
    if (messageEnd > messageStart) {
      this.#attributes.textField(
        AttributeLevel.spanField,
        STATUS_MESSAGE,
        messageStart,
        messageEnd,
      );
    }
    if (droppedAttributes !== 0)
      this.#attributes.intField(1, DROPPED_ATTRIBUTES, droppedAttributes, 0);
    if (droppedEvents !== 0) this.#attributes.intField(1, DROPPED_EVENTS, droppedEvents, 0);
    if (droppedLinks !== 0) this.#attributes.intField(1, DROPPED_LINKS, droppedLinks, 0);
    if (parentLength === 0) builder.parentWords[row * 2] = builder.parentWords[row * 2 + 1] = 0;
    else if (isZero(builder.parentWords, row * 2, 2)) {
      this.#attributes.emptyField(AttributeLevel.spanField, ZERO_PARENT);
    }
    setKindAndStatus(builder, row, kind, status);
    builder.startLo[row] = startLo;
    builder.startHi[row] = startHi;
    builder.durationLo[row] = endLo - startLo;
    builder.durationHi[row] = endHi - startHi - (endLo < startLo ? 1 : 0);
    builder.flags[row] = flags;
    builder.name[row] = builder.internName(bytes, nameStart, nameEnd);
    builder.resource[row] = resource;
    builder.scope[row] = scope;
    builder.endSpan();
    this.accepted++;
  }

  /** Decodes the attribute whose length comes next. @returns false when its value is nested too deep */
  #attribute(level: AttributeLevel, end: number): boolean {
    const attributeEnd = this.#reader.length(end) + this.#reader.position;
    return this.#attributes.attribute(level, attributeEnd);
  }

  /** @returns what is wrong with the event, or nothing */
  #event(end: number): string {
    const reader = this.#reader;
    const builder = this.#builder;
    const event = builder.beginEvent();
    let timeLo = 0;
    let timeHi = 0;
    let nameStart = 0;
    let nameEnd = 0;
    let dropped = 0;
    let problem = '';
    while (reader.position < end) {
      const tag = reader.tag(end);
      if (tag === 9) {
        timeLo = reader.fixed32(end);
        timeHi = reader.fixed32(end);
      } else if (tag === 18) {
        nameEnd = reader.length(end);
        nameStart = reader.position;
        reader.position = nameEnd += nameStart;
      } else if (tag === 26) {
        if (!this.#attribute(AttributeLevel.event, end)) problem = TOO_DEEP;
      } else if (tag === 32) dropped = reader.varint32(end);
      else this.#attributes.unknown(tag, end, 4);
    }
    if (dropped !== 0) {
      this.#attributes.intField(AttributeLevel.eventField, DROPPED_ATTRIBUTES, dropped, 0);
    }
    builder.eventTimeLo[event] = timeLo;
    builder.eventTimeHi[event] = timeHi;
    builder.eventName[event] = builder.eventNames.internText(reader.bytes, nameStart, nameEnd);
    builder.endEvent();
    return problem;
  }

  /** @returns what is wrong with the link, or nothing */
  #link(end: number): string {
    const reader = this.#reader;
    const builder = this.#builder;
    const link = builder.beginLink();
    let traceIdLength = 0;
    let spanIdLength = 0;
    let flags = 0;
    let traceStateStart = 0;
    let traceStateEnd = 0;
    let dropped = 0;
    let problem = '';
    while (reader.position < end) {
      const tag = reader.tag(end);
      if (tag === 10) {
        traceIdLength = reader.length(end);
        if (traceIdLength === 16) {
          copyId(reader.bytes, reader.position, builder.linkTraceId, link * 16, 16);
        }
        reader.position += traceIdLength;
      } else if (tag === 18) {
        spanIdLength = reader.length(end);
        if (spanIdLength === 8) {
          copyId(reader.bytes, reader.position, builder.linkSpanId, link * 8, 8);
        }
        reader.position += spanIdLength;
      } else if (tag === 26) {
        traceStateEnd = reader.length(end);
        traceStateStart = reader.position;
        reader.position = traceStateEnd += traceStateStart;
      } else if (tag === 34) {
        if (!this.#attribute(AttributeLevel.link, end)) problem = TOO_DEEP;
      } else if (tag === 40) dropped = reader.varint32(end);
      else if (tag === 53) flags = reader.fixed32(end);
      else this.#attributes.unknown(tag, end, 6);
    }
    if (traceIdLength !== 0 && traceIdLength !== 16) {
      problem ||= idProblem('trace id of a link', traceIdLength, 16);
    } else if (spanIdLength !== 0 && spanIdLength !== 8) {
      problem ||= idProblem('span id of a link', spanIdLength, 8);
    }
    if (traceStateEnd > traceStateStart) {
      this.#attributes.textField(
        AttributeLevel.linkField,
        TRACE_STATE,
        traceStateStart,
        traceStateEnd,
      );
    }
    if (dropped !== 0)
      this.#attributes.intField(AttributeLevel.linkField, DROPPED_ATTRIBUTES, dropped, 0);
    if (traceIdLength === 0) {
      clearId(builder.linkTraceId, link * 16, 16);
      this.#attributes.emptyField(AttributeLevel.linkField, NO_TRACE_ID);
    }
    if (spanIdLength === 0) {
      clearId(builder.linkSpanId, link * 8, 8);
      this.#attributes.emptyField(AttributeLevel.linkField, NO_SPAN_ID);
    }
    builder.linkFlags[link] = flags;
    builder.endLink();
    return problem;
  }
}

const ATTRIBUTE_TAG = 74;
const TOO_DEEP = `an attribute value is nested over ${MAX_VALUE_DEPTH} deep`;

function idProblem(what: string, length: number, expected: number): string {
  return length === expected
    ? `its ${what} is all zeros`
    : `its ${what} has ${length} bytes, not ${expected}`;
}
