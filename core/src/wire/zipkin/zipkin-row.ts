// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel, ValueType } from '#model/attributes.ts';
import type { BatchBuilder } from '#model/batch-builder.ts';
import { SpanKind } from '#model/span.ts';
import { StatusByte } from '#model/span-columns.ts';
import { encodeText } from '#model/utf8.ts';
import { addText, ScopeTags } from '#wire/mapping/scope-tags.ts';
import { SPECIAL_TAGS, SpecialTag, STATUS_CODES } from '#wire/mapping/special-tags.ts';
import { SymbolWriter } from '#wire/mapping/symbol-writer.ts';
import { TagText } from '#wire/mapping/tag-text.ts';
import { TextMemo } from '#wire/mapping/text-memo.ts';
import { STATUS_MESSAGE, TRACE_STATE } from '#wire/otlp/field-keys.ts';
import { isZero } from '#wire/otlp/id-bytes.ts';
import { JsonFields } from '#wire/otlp/json-fields.ts';
import { ZipkinEndpoint } from './endpoint.ts';
import { isResourceKey } from './resource-keys.ts';

/**
 * Texts of the resource that a span may bring: a service, then keys and values. SDKs send some twenty; each of a hostile span's
 * millions would be an object. The rest stays with the span.
 */
const MAX_RESOURCE_TEXTS = 1 + 2 * 256;

/**
 * One span of Zipkin on its way into a row of a {@link BatchBuilder}: the mapping that all of Zipkin's encodings share.
 *
 * For each span: `begin`; tags and events in any order; the public fields; `finish`.
 * @see https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/
 */
export class ZipkinRow {
  row = 0;
  /** What the sender calls itself, and the other side of a call. */
  readonly local = new ZipkinEndpoint();
  readonly remote = new ZipkinEndpoint();
  readonly name = new TagText();
  /** As `SpanKind`. */
  kind = 0;
  /** Epoch ns and ns; zero is not sent. */
  startLo = 0;
  startHi = 0;
  durationLo = 0;
  durationHi = 0;
  debug = false;
  /** The span has the id of its caller's span. */
  shared = false;
  /** What is wrong with the span; empty when nothing is. */
  problem = '';
  #builder!: BatchBuilder;
  /** As `StatusByte`. */
  #status: number = StatusByte.notSent;
  readonly #error = new TagText();
  readonly #description = new TagText();
  readonly #traceState = new TagText();
  readonly #spanKind = new TagText();
  readonly #scope = new ScopeTags();
  /** Of the resource: the service, then keys and values of tags in turn. */
  readonly #resourceTexts: TagText[] = [this.local.service];
  #resourceTextCount = 1;
  readonly #symbols = new SymbolWriter();
  readonly #memo = new TextMemo((texts, count) => writeResource(this.#symbols, texts, count));
  #body: Uint8Array = EMPTY;
  readonly #scalar = new Uint8Array(8);

  /** Opens a row. @param body the request */
  begin(builder: BatchBuilder, body: Uint8Array): void {
    this.#builder = builder;
    this.#body = body;
    this.row = builder.beginSpan();
    this.local.clear();
    this.remote.clear();
    this.name.clear();
    this.kind = SpanKind.unspecified;
    this.startLo = this.startHi = this.durationLo = this.durationHi = 0;
    this.debug = this.shared = false;
    this.problem = '';
    this.#status = StatusByte.notSent;
    this.#error.clear();
    this.#description.clear();
    this.#traceState.clear();
    this.#spanKind.clear();
    this.#scope.clear();
    // Else texts beyond those of later spans would keep a request each.
    for (let i = 1; i < this.#resourceTextCount; i++) this.#resourceTexts[i]!.clear();
    this.#resourceTextCount = 1;
    const { traceId, spanId, parentSpanId } = builder;
    traceId.fill(0, this.row * 16, this.row * 16 + 16);
    spanId.fill(0, this.row * 8, this.row * 8 + 8);
    parentSpanId.fill(0, this.row * 8, this.row * 8 + 8);
  }

  /**
   * Adds a tag, all of which are texts. Ranges must stay as they are until `finish`.
   * @param encodedStart the tag came as `body[encodedStart, encodedEnd)`; empty when that may mean something else too
   */
  tag(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    start: number,
    end: number,
    encodedStart = 0,
    encodedEnd = 0,
  ): void {
    const special = SPECIAL_TAGS.find(key, keyStart, keyEnd);
    if (special !== 0 && this.#takeSpecial(special, value, start, end)) return;
    const hasRoom = this.#resourceTextCount < MAX_RESOURCE_TEXTS;
    if (hasRoom && isResourceKey(key, keyStart, keyEnd)) {
      this.#resourceTag(key, keyStart, keyEnd, value, start, end);
      return;
    }
    const builder = this.#builder;
    if (builder.repeat(AttributeLevel.span, this.#body, encodedStart, encodedEnd)) return;
    this.attribute(ValueType.string, key, keyStart, keyEnd, value, start, end);
    builder.remember(AttributeLevel.span, this.#body, encodedStart, encodedEnd);
  }

  /** Adds an attribute of canonical bytes. */
  attribute(
    type: ValueType,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.#builder.attribute(AttributeLevel.span, type, key, keyStart, keyEnd, value, start, end);
  }

  /** Adds an annotation. */
  event(timeLo: number, timeHi: number, name: Uint8Array, start: number, end: number): void {
    const builder = this.#builder;
    const event = builder.beginEvent();
    builder.eventTimeLo[event] = timeLo;
    builder.eventTimeHi[event] = timeHi;
    builder.eventName[event] = builder.eventNames.internText(name, start, end);
    builder.endEvent();
  }

  /**
   * Fills the rest of the row, which the caller then closes or takes back.
   * @returns what is wrong with the span; empty when nothing is
   * @throws {SpoorError} too_large
   */
  finish(): string {
    const builder = this.#builder;
    const { row, name } = this;
    if (isZero(builder.traceWords, row * 4, 4)) this.problem ||= 'it has no trace id';
    if (isZero(builder.spanWords, row * 2, 2)) this.problem ||= 'it has no id';
    if (this.problem !== '') return this.problem;
    this.#finishParent();
    this.#finishKind();
    this.#finishStatus();
    this.#scope.finish(builder, row);
    this.#field(TRACE_STATE, this.#traceState);
    this.#endpoint(this.local, HOST_IP, HOST_PORT);
    if (!this.remote.service.isEmpty) addText(builder, PEER_SERVICE, this.remote.service);
    this.#endpoint(this.remote, PEER_IP, PEER_PORT);
    if (this.startLo === 0 && this.startHi === 0) this.#flag(NO_START);
    if (this.debug) this.#flag(DEBUG);
    if (this.shared) this.#flag(SHARED);
    builder.flags[row] = 0;
    builder.kind[row] = this.kind;
    builder.startLo[row] = this.startLo;
    builder.startHi[row] = this.startHi;
    builder.durationLo[row] = this.durationLo;
    builder.durationHi[row] = this.durationHi;
    builder.name[row] = builder.internName(name.bytes, name.start, name.end);
    builder.resource[row] = this.#resource();
    return '';
  }

  /** Keeps a special tag. @returns false when it is an attribute after all */
  #takeSpecial(special: number, bytes: Uint8Array, start: number, end: number): boolean {
    switch (special) {
      case SpecialTag.error:
        return keep(this.#error, bytes, start, end);
      case SpecialTag.statusDescription:
        return keep(this.#description, bytes, start, end);
      case SpecialTag.traceState:
        return keep(this.#traceState, bytes, start, end);
      case SpecialTag.spanKind:
        return keep(this.#spanKind, bytes, start, end);
      case SpecialTag.statusCode: {
        const status =
          STATUS_CODES.find(bytes, start, end) || PROTO_STATUS_CODES.find(bytes, start, end);
        if (status === 0 || this.#status !== StatusByte.notSent) return false;
        this.#status = status;
        return true;
      }
      default:
        return this.#scope.take(special, bytes, start, end);
    }
  }

  #resourceTag(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.#resourceText().set(key, keyStart, keyEnd);
    this.#resourceText().set(value, start, end);
  }

  #resourceText(): TagText {
    return (this.#resourceTexts[this.#resourceTextCount++] ??= new TagText());
  }

  /** A span that names itself as its parent has none. */
  #finishParent(): void {
    const { spanId, parentSpanId } = this.#builder;
    const at = this.row * 8;
    for (let i = 0; i < 8; i++) if (spanId[at + i] !== parentSpanId[at + i]) return;
    parentSpanId.fill(0, at, at + 8);
  }

  /** Zipkin has no kind for internal spans, so exporters send it as a tag. */
  #finishKind(): void {
    const tag = this.#spanKind;
    if (!tag.isThere) return;
    if (this.kind === SpanKind.unspecified && tag.equals(INTERNAL)) this.kind = SpanKind.internal;
    else addText(this.#builder, SPAN_KIND_KEY, tag);
  }

  /** The error tag says that there was one, and mostly what; only `false` says nothing. */
  #finishStatus(): void {
    const builder = this.#builder;
    const error = this.#error;
    const description = this.#description;
    let message = description;
    if (error.isThere) {
      const isMessage = !error.isEmpty && !error.equals(TRUE);
      if (error.equals(FALSE)) addText(builder, ERROR_KEY, error);
      else {
        this.#status = StatusByte.error;
        if (isMessage && !description.isThere) message = error;
        else if (isMessage && !description.equals(error)) addText(builder, ERROR_KEY, error);
      }
    }
    builder.status[this.row] = this.#status;
    if (this.#status !== StatusByte.notSent) this.#field(STATUS_MESSAGE, message);
    else if (description.isThere) addText(builder, DESCRIPTION_KEY, description);
  }

  #resource(): number {
    this.#memo.write(this.#resourceTexts, this.#resourceTextCount);
    return this.#symbols.intern(this.#builder.resources);
  }

  #endpoint(endpoint: ZipkinEndpoint, ipKey: Uint8Array, portKey: Uint8Array): void {
    const builder = this.#builder;
    if (!endpoint.ipv4.isEmpty) addText(builder, ipKey, endpoint.ipv4);
    if (!endpoint.ipv6.isEmpty) addText(builder, ipKey, endpoint.ipv6);
    if (endpoint.port === 0) return;
    const scalar = this.#scalar.fill(0);
    scalar[0] = endpoint.port & 255;
    scalar[1] = endpoint.port >> 8;
    this.attribute(ValueType.int, portKey, 0, portKey.length, scalar, 0, 8);
  }

  #flag(key: Uint8Array): void {
    this.#scalar[0] = 1;
    this.attribute(ValueType.bool, key, 0, key.length, this.#scalar, 0, 1);
  }

  #field(key: Uint8Array, text: TagText): void {
    if (text.isEmpty) return;
    const { bytes, start, end } = text;
    const { string } = ValueType;
    const { spanField } = AttributeLevel;
    this.#builder.attribute(spanField, string, key, 0, key.length, bytes, start, end);
  }
}

/** Writes a resource. @param texts the service, then keys and values in turn */
function writeResource(symbols: SymbolWriter, texts: readonly TagText[], count: number): void {
  const service = texts[0]!;
  symbols.beginResource();
  if (!service.isEmpty) symbols.textAttribute(SERVICE_NAME, service);
  for (let i = 1; i < count; i += 2) {
    const [key, value] = [texts[i]!, texts[i + 1]!];
    // Exporters of OpenTelemetry send it as a tag as well.
    if (value.equals(service) && key.equals(SERVICE_NAME)) continue;
    symbols.textAttribute(key, value);
  }
  symbols.endResource();
}

function keep(text: TagText, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.isThere) return false;
  text.set(bytes, start, end);
  return true;
}

function constant(text: string): TagText {
  const bytes = encodeText(text);
  const constantText = new TagText();
  constantText.set(bytes, 0, bytes.length);
  return constantText;
}

/** {@link STATUS_CODES} by their names in OTLP's protobuf, which the OpenTelemetry collector sends. */
const PROTO_STATUS_CODES = new JsonFields({
  STATUS_CODE_UNSET: StatusByte.unset,
  STATUS_CODE_OK: StatusByte.ok,
  STATUS_CODE_ERROR: StatusByte.error,
});
const EMPTY: Uint8Array = new Uint8Array(0);
const INTERNAL = constant('internal');
const TRUE = constant('true');
const FALSE = constant('false');
const SERVICE_NAME = constant('service.name');
const SPAN_KIND_KEY = encodeText('span.kind');
const ERROR_KEY = encodeText('error');
const DESCRIPTION_KEY = encodeText('otel.status_description');
const PEER_SERVICE = encodeText('peer.service');
const HOST_IP = encodeText('net.host.ip');
const HOST_PORT = encodeText('net.host.port');
const PEER_IP = encodeText('net.peer.ip');
const PEER_PORT = encodeText('net.peer.port');
/** As the OpenTelemetry collector has it. */
const NO_START = encodeText('otel.zipkin.absentField.startTime');
const DEBUG = encodeText('zipkin.debug');
const SHARED = encodeText('zipkin.shared');
