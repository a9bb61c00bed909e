// SPDX-License-Identifier: Apache-2.0
import { SpanKind, StatusCode } from '@spoor/core/model/span.ts';
import {
  AttributeTag,
  attributeKey,
  encodeAttribute,
  writeAscii,
  writeInt,
  writeTime,
} from './attribute-writer.ts';
import { BodyWriter } from './body-writer.ts';
import type { Random } from './random.ts';
import { ShopAttributes, cacheKey } from './shop-attributes.ts';
import { SHOP_EXCEPTIONS, encodeException, type ShopException } from './shop-exception.ts';
import { createSpanTemplate, type SpanTemplate } from './shop-span-template.ts';
import type { ShopTopology } from './shop-topology.ts';
import type { ShopSpan, ShopTrace } from './shop-trace.ts';

/** A span of the shop has at most about 2,000 bytes: an exception of 700, a statement of 200, 14 attributes. */
const MAX_SPAN_BYTES = 8192;
/** Sampled, random trace id; and the same with a remote parent. */
const FLAGS_LOCAL = 0x101;
const FLAGS_REMOTE = 0x301;

/** Encodes spans of the shop, each as a field `ScopeSpans.spans`. */
export class ShopSpanEncoder {
  readonly #random: Random;
  readonly #instanceCount: number;
  readonly #operationCount: number;
  /** By kind, operation, instance and internal name. Bounded by the size of the shop: some 1,000. */
  readonly #templates = new Map<number, SpanTemplate>();
  /** By service and exception: at most 16 × 36. */
  readonly #exceptions = new Map<string, Uint8Array>();
  readonly #attributes: ShopAttributes;

  constructor(topology: ShopTopology, random: Random) {
    this.#random = random;
    this.#instanceCount = topology.instances.length;
    this.#operationCount = topology.operations.length;
    this.#attributes = new ShopAttributes(random);
  }

  /** Must be called before the spans of a trace are encoded. */
  begin(trace: ShopTrace): void {
    this.#attributes.begin(trace);
  }

  /** The template of a span; its name is the span's. */
  template(span: ShopSpan): SpanTemplate {
    const key =
      ((span.kind * this.#operationCount + span.operation.index) * this.#instanceCount +
        span.instance.index) *
        8 +
      span.internal +
      1;
    let template = this.#templates.get(key);
    if (template === undefined) {
      template = createSpanTemplate(span);
      this.#templates.set(key, template);
    }
    return template;
  }

  /**
   * Appends a span to `writer`.
   * @param baseLo start of the trace, Unix ns, low 32 bits; `baseHi` the high ones
   * @param previous the trace before, for links
   */
  encode(
    writer: BodyWriter,
    trace: ShopTrace,
    span: ShopSpan,
    baseLo: number,
    baseHi: number,
    previous: ShopTrace | undefined,
  ): void {
    writer.reserve(MAX_SPAN_BYTES);
    const template = this.template(span);
    const startNanos = startOffsetNanos(span);
    const endNanos = endOffsetNanos(span);
    const begin = writer.begin(0x12);
    writer.byte(0x0a);
    writer.byte(16);
    writer.raw(trace.id);
    writeSpanId(writer, 0x12, span);
    if (span.parent !== undefined) writeSpanId(writer, 0x22, span.parent);
    writer.raw(template.head);
    writeTime(writer, 0x39, baseLo, baseHi, startNanos);
    writeTime(writer, 0x41, baseLo, baseHi, endNanos);
    writer.raw(template.attributes);
    this.#attributes.write(writer, trace, span);
    const exception = span.failed ? this.#random.pick(SHOP_EXCEPTIONS) : undefined;
    if (exception !== undefined) writer.raw(exception.errorType);
    this.#events(writer, trace, span, exception, baseLo, baseHi);
    this.#links(writer, trace, span, previous);
    if (exception !== undefined) {
      const status = writer.begin(0x7a);
      writer.byte(0x12);
      writer.varint(exception.message.length);
      writer.ascii(exception.message);
      writer.byte(0x18);
      writer.byte(StatusCode.error);
      writer.end(status);
    }
    const remote = span.parent !== undefined && span.parent.instance !== span.instance;
    writer.byte(0x85);
    writer.byte(0x01);
    writer.fixed32(remote ? FLAGS_REMOTE : FLAGS_LOCAL);
    writer.end(begin);
  }

  #events(
    writer: BodyWriter,
    trace: ShopTrace,
    span: ShopSpan,
    exception: ShopException | undefined,
    baseLo: number,
    baseHi: number,
  ): void {
    const startNanos = startOffsetNanos(span);
    const endNanos = endOffsetNanos(span);
    if (exception !== undefined) {
      const begin = writer.begin(0x5a);
      writeTime(writer, 0x09, baseLo, baseHi, endNanos - 500);
      writer.raw(this.#exception(span.instance.service.spec.name, exception));
      writer.end(begin);
      return;
    }
    const dice = this.#random.float();
    if (dice < 0.13) {
      const begin = writer.begin(0x5a);
      writeTime(writer, 0x09, baseLo, baseHi, Math.floor((startNanos + endNanos) / 2));
      writer.raw(this.#random.pick(EVENT_NAMES));
      writeInt(writer, AttributeTag.event, KEY_ATTEMPT, this.#random.int(4));
      writeAscii(writer, AttributeTag.event, KEY_CACHE, cacheKey(trace, span.operation));
      writer.end(begin);
    } else if (dice < 0.168) {
      const begin = writer.begin(0x5a);
      writeTime(writer, 0x09, baseLo, baseHi, startNanos + 300);
      writer.raw(EVENT_ENQUEUED);
      writeInt(writer, AttributeTag.event, KEY_QUEUE_DEPTH, this.#random.int(100));
      writer.end(begin);
      const second = writer.begin(0x5a);
      writeTime(writer, 0x09, baseLo, baseHi, startNanos + 800);
      writer.raw(EVENT_DEQUEUED);
      writer.end(second);
    }
  }

  #links(
    writer: BodyWriter,
    trace: ShopTrace,
    span: ShopSpan,
    previous: ShopTrace | undefined,
  ): void {
    let to: ShopSpan | undefined;
    let toTrace: ShopTrace | undefined;
    if (span.kind === SpanKind.consumer) {
      to = span.parent;
      toTrace = trace;
    } else if (previous !== undefined && this.#random.chance(0.0155)) {
      to = previous.spans[0];
      toTrace = previous;
    }
    if (to === undefined || toTrace === undefined) return;
    const begin = writer.begin(0x6a);
    writer.byte(0x0a);
    writer.byte(16);
    writer.raw(toTrace.id);
    writeSpanId(writer, 0x12, to);
    writer.raw(toTrace === trace ? LINK_MESSAGE : LINK_FOLLOWS);
    writer.byte(0x35);
    writer.fixed32(FLAGS_LOCAL);
    writer.end(begin);
  }

  #exception(service: string, exception: ShopException): Uint8Array {
    const key = `${service} ${exception.type} ${exception.message}`;
    let bytes = this.#exceptions.get(key);
    if (bytes === undefined) {
      bytes = encodeException(service, exception);
      this.#exceptions.set(key, bytes);
    }
    return bytes;
  }
}

/** Start of a span after the start of its trace, ns. */
export function startOffsetNanos(span: ShopSpan): number {
  return Math.floor(span.startMicros * 1000);
}

/** End of a span after the start of its trace, ns; at least 1 µs after its start. */
export function endOffsetNanos(span: ShopSpan): number {
  return startOffsetNanos(span) + Math.max(1000, Math.floor(span.durationMicros * 1000));
}

function writeSpanId(writer: BodyWriter, tag: number, span: ShopSpan): void {
  writer.byte(tag);
  writer.byte(8);
  writer.fixed32(span.idLo);
  writer.fixed32(span.idHi);
}

function encodeEventName(name: string): Uint8Array {
  const writer = new BodyWriter(64);
  writer.text(0x12, name);
  return writer.copy();
}

const KEY_ATTEMPT = attributeKey('app.attempt');
const KEY_CACHE = attributeKey('app.cache.key');
const KEY_QUEUE_DEPTH = attributeKey('app.queue.depth');
const EVENT_NAMES = ['cache.miss', 'message', 'retry', 'lock acquired'].map(encodeEventName);
const EVENT_ENQUEUED = encodeEventName('enqueued');
const EVENT_DEQUEUED = encodeEventName('dequeued');
const LINK_MESSAGE = encodeAttribute(AttributeTag.link, 'link.kind', 'message');
const LINK_FOLLOWS = encodeAttribute(AttributeTag.link, 'link.kind', 'follows_from');
