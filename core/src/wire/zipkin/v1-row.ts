// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '#model/attributes.ts';
import type { BatchBuilder } from '#model/batch-builder.ts';
import { SpanKind } from '#model/span.ts';
import { encodeText } from '#model/utf8.ts';
import { TagText } from '#wire/mapping/tag-text.ts';
import { JsonFields } from '#wire/otlp/json-fields.ts';
import { ZipkinEndpoint } from './endpoint.ts';
import { ZipkinRow } from './zipkin-row.ts';

/** Annotations of a span that are looked at together, an object each. The rest are events, whatever they say. */
const MAX_ANNOTATIONS = 1024;

/** An annotation that is kept until the span ends. */
class Annotation {
  readonly value = new TagText();
  timeLo = 0;
  timeHi = 0;
  /** Kind of a span that has it, 0 for any. */
  kind = 0;
}

/** What a value from a request is. */
export interface V1Value {
  readonly type: ValueType;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/**
 * One span of Zipkin's version 1 on its way into a row. It has no kind and no endpoints of its own: they follow from its
 * annotations, and so do its times where they were not sent.
 * @see https://github.com/openzipkin/zipkin-api/blob/1.0.0/thrift/zipkinCore.thrift
 */
export class ZipkinV1Row {
  /** The span in version 2. Its ids, name, times and `debug` are for the reader of the request to set. */
  readonly span = new ZipkinRow();
  /** Endpoint of the annotation under way; the reader clears and fills it. */
  readonly host = new ZipkinEndpoint();
  readonly #annotations: Annotation[] = [];
  #count = 0;
  /** How much the endpoint taken for the span's own is worth; 0 when there is none. */
  #localRank = 0;
  readonly #addresses = {
    sa: new ZipkinEndpoint(),
    ca: new ZipkinEndpoint(),
    ma: new ZipkinEndpoint(),
  };

  /** Opens a row. @param body the request */
  begin(builder: BatchBuilder, body: Uint8Array): void {
    this.span.begin(builder, body);
    // Else annotations beyond those of later spans would keep a request each.
    for (let i = 0; i < this.#count; i++) this.#annotations[i]!.value.clear();
    this.#count = 0;
    this.#localRank = 0;
    this.#addresses.sa.clear();
    this.#addresses.ca.clear();
    this.#addresses.ma.clear();
  }

  /** Adds an annotation, whose endpoint is in `host`. */
  annotation(timeLo: number, timeHi: number, value: TagText): void {
    if (this.#count === MAX_ANNOTATIONS) {
      this.span.event(timeLo, timeHi, value.bytes, value.start, value.end);
      return;
    }
    const annotation = (this.#annotations[this.#count++] ??= new Annotation());
    annotation.value.set(value.bytes, value.start, value.end);
    annotation.timeLo = timeLo;
    annotation.timeHi = timeHi;
    annotation.kind = CORE.find(value.bytes, value.start, value.end);
    this.#takeLocal(annotation.kind === 0 ? RANK_ANNOTATION : RANK_CORE);
    this.span.kind ||= annotation.kind;
  }

  /** Adds a binary annotation, whose endpoint is in `host`. */
  binaryAnnotation(key: TagText, { type, bytes, start, end }: V1Value): void {
    const address = ADDRESSES.find(key.bytes, key.start, key.end);
    if (address !== 0 && type === ValueType.bool && isKnown(this.host)) {
      this.#addresses[ADDRESS_NAMES[address - 1]!].copy(this.host);
      return;
    }
    this.#takeLocal(RANK_BINARY);
    // A mark of clients for the service of a span that has nothing else.
    if (type === ValueType.string && end === start && key.equals(LOCAL_COMPONENT)) return;
    if (type === ValueType.string) {
      this.span.tag(key.bytes, key.start, key.end, bytes, start, end);
    } else this.span.attribute(type, key.bytes, key.start, key.end, bytes, start, end);
  }

  /** Fills the rest of the row. @returns what is wrong with the span; empty when nothing is */
  finish(): string {
    const { span } = this;
    const hasStart = span.startLo !== 0 || span.startHi !== 0;
    // Only the caller knows when a span began that both sides report.
    span.shared = !hasStart && span.kind === SpanKind.server;
    if (!hasStart) this.#deriveTimes();
    span.remote.copy(this.#remote());
    for (let i = 0; i < this.#count; i++) {
      const annotation = this.#annotations[i]!;
      if (this.#isEdge(annotation)) continue;
      const { bytes, start, end } = annotation.value;
      span.event(annotation.timeLo, annotation.timeHi, bytes, start, end);
    }
    return span.finish();
  }

  /** The address of the other side; of a span without a kind, any that is known. */
  #remote(): ZipkinEndpoint {
    const { sa, ca, ma } = this.#addresses;
    switch (this.span.kind) {
      case SpanKind.client:
        return sa;
      case SpanKind.server:
        return ca;
      case SpanKind.producer:
      case SpanKind.consumer:
        return ma;
      default:
        return isKnown(sa) ? sa : isKnown(ca) ? ca : ma;
    }
  }

  #takeLocal(rank: number): void {
    if (rank <= this.#localRank || this.host.service.isEmpty) return;
    this.#localRank = rank;
    this.span.local.copy(this.host);
  }

  /** From the first annotation to the last one. */
  #deriveTimes(): void {
    const { span } = this;
    let first: Annotation | undefined;
    let last: Annotation | undefined;
    for (let i = 0; i < this.#count; i++) {
      const annotation = this.#annotations[i]!;
      if (first === undefined || isBefore(annotation, first)) first = annotation;
      if (last === undefined || isBefore(last, annotation)) last = annotation;
    }
    if (first === undefined || last === undefined) return;
    span.startLo = first.timeLo;
    span.startHi = first.timeHi;
    if (span.durationLo !== 0 || span.durationHi !== 0) return;
    const borrow = last.timeLo < first.timeLo ? 1 : 0;
    span.durationLo = (last.timeLo - first.timeLo) >>> 0;
    span.durationHi = (last.timeHi - first.timeHi - borrow) >>> 0;
  }

  /** Whether an annotation only says what the span's kind and times say already. */
  #isEdge({ kind, timeLo, timeHi }: Annotation): boolean {
    const { span } = this;
    if (kind === 0 || kind !== span.kind) return false;
    if (timeLo === span.startLo && timeHi === span.startHi) return true;
    const endLo = span.startLo + span.durationLo;
    const endHi = span.startHi + span.durationHi + (endLo >= 2 ** 32 ? 1 : 0);
    return timeLo === endLo >>> 0 && timeHi === endHi >>> 0;
  }
}

const LOCAL_COMPONENT = new TagText();
LOCAL_COMPONENT.set(encodeText('lc'), 0, 2);

const RANK_BINARY = 1;
const RANK_ANNOTATION = 2;
const RANK_CORE = 3;

/** Annotations that say which side of a call a span is, each with its kind. */
const CORE = new JsonFields({
  cs: SpanKind.client,
  cr: SpanKind.client,
  sr: SpanKind.server,
  ss: SpanKind.server,
  ms: SpanKind.producer,
  mr: SpanKind.consumer,
});

/** Binary annotations whose endpoint is an address of a server, client or broker. */
const ADDRESS_NAMES = ['sa', 'ca', 'ma'] as const;
const ADDRESSES = new JsonFields({ sa: 1, ca: 2, ma: 3 });

function isKnown({ service, ipv4, ipv6, port }: ZipkinEndpoint): boolean {
  return !service.isEmpty || !ipv4.isEmpty || !ipv6.isEmpty || port !== 0;
}

function isBefore(a: Annotation, b: Annotation): boolean {
  return a.timeHi === b.timeHi ? a.timeLo < b.timeLo : a.timeHi < b.timeHi;
}
