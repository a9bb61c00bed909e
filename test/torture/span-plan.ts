// SPDX-License-Identifier: Apache-2.0
import { crc32 } from 'node:zlib';
import { Random } from '../../server/src/cli/tracegen/random.ts';

/** How large a request is: as SDKs send them; with very many spans; with spans of many bytes. */
type RequestSize = 'usual' | 'many' | 'fat';

/** One request as it was planned. Everything about its spans follows from this. */
export interface PlannedRequest {
  /** From 0 on. */
  readonly number: number;
  /** 1 to 65535. */
  readonly spans: number;
  /** Spans of one trace, but for those of {@link SpanPlan.traceOf} that are late. */
  readonly traceSpans: number;
  /** Characters of each span's payload, at most. */
  readonly payloadLength: number;
}

/** Names one trace: the number of a request, and which of its traces. */
export interface TraceKey {
  readonly request: number;
  readonly trace: number;
}

/** What one span holds. */
export interface PlannedSpan {
  /** 16 lower-case hex digits. */
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  readonly name: string;
  readonly serviceName: string;
  /** OTLP's number, 1 to 5. */
  readonly kind: number;
  readonly startTimeUnixNano: bigint;
  readonly durationNanos: number;
  readonly isError: boolean;
  readonly hasEvent: boolean;
  readonly payload: string;
  /** CRC-32 over all of the above that is text or number, 8 hex digits. */
  readonly checksum: string;
}

/** Every so many spans one belongs to a trace of the request before: traces are joined from several batches. */
const LATE_EVERY = 16;

const POOL_LENGTH = 1 << 16;
const NAMES = 40;
const SERVICES = 5;

/**
 * All spans of a run, each made from the seed and its number alone: nothing has to be kept to know what a
 * span must look like, and an id tells which request it came with.
 */
export class SpanPlan {
  readonly #seed: number;
  readonly #originUnixNano: bigint;
  readonly #pool: string;
  readonly #sizes: 'mixed' | number;

  /**
   * @param seed 0 to 65535; two plans on one store need two seeds
   * @param sizes spans of every request, or `mixed`: 1 to 512, now and then megabytes
   */
  constructor(seed: number, originUnixNano: bigint, sizes: 'mixed' | number = 'mixed') {
    this.#seed = seed;
    this.#originUnixNano = originUnixNano;
    this.#sizes = sizes;
    this.#pool = new Random(seed).hex(POOL_LENGTH);
  }

  /** Names of the services that spans have. */
  static serviceName(number: number): string {
    return `torture-${number % SERVICES}`;
  }

  /** The request with this number. */
  request(number: number): PlannedRequest {
    const random = new Random(this.#seed * 2 ** 32 + number);
    if (this.#sizes !== 'mixed') {
      return { number, spans: this.#sizes, traceSpans: 64, payloadLength: 40 };
    }
    const size: RequestSize = random.chance(0.03) ? random.pick(['many', 'fat']) : 'usual';
    if (size === 'many') {
      return { number, spans: random.between(6000, 9000), traceSpans: 500, payloadLength: 60 };
    }
    if (size === 'fat') {
      return { number, spans: random.between(300, 512), traceSpans: 32, payloadLength: 8000 };
    }
    const most = random.pick([1, 16, 64, 512]);
    return {
      number,
      spans: random.between(1, most),
      // Most traces of large requests are large, since reading back takes its time for each trace.
      traceSpans: random.pick(most <= 16 ? [1, 3] : [10, 60]),
      payloadLength: random.pick([0, 20, 200, 1000]),
    };
  }

  /** Which trace a span of a request belongs to. */
  traceOf(request: PlannedRequest, index: number): TraceKey {
    const { number, traceSpans } = request;
    return number > 0 && index % LATE_EVERY === LATE_EVERY - 1
      ? { request: number - 1, trace: 0 }
      : { request: number, trace: Math.floor(index / traceSpans) };
  }

  /** Every trace that a request begins. */
  tracesOf(request: PlannedRequest): TraceKey[] {
    const traces = new Set<number>();
    for (let i = 0; i < request.spans; i++) {
      const key = this.traceOf(request, i);
      if (key.request === request.number) traces.add(key.trace);
    }
    return [...traces].map((trace) => ({ request: request.number, trace }));
  }

  /** Where the spans of a trace come from: requests, with the indexes of the spans there. */
  sourcesOf(key: TraceKey): { readonly request: PlannedRequest; readonly indexes: number[] }[] {
    const own = this.request(key.request);
    const first = key.trace * own.traceSpans;
    const ownIndexes: number[] = [];
    for (let i = first; i < Math.min(first + own.traceSpans, own.spans); i++) {
      if (this.traceOf(own, i).request === key.request) ownIndexes.push(i);
    }
    const sources = [{ request: own, indexes: ownIndexes }];
    if (key.trace === 0) {
      const next = this.request(key.request + 1);
      const lateIndexes: number[] = [];
      for (let i = LATE_EVERY - 1; i < next.spans; i += LATE_EVERY) lateIndexes.push(i);
      if (lateIndexes.length > 0) sources.push({ request: next, indexes: lateIndexes });
    }
    return sources;
  }

  /** The id of a trace: random at the front, as blocks sort by it; its key at the end. */
  traceId({ request, trace }: TraceKey): string {
    const front = hex32(mix(this.#seed, request, trace)) + hex32(mix(trace, this.#seed, ~request));
    return `${front}${hex16(this.#seed)}${hex32(request)}${hex16(trace)}`;
  }

  /** The key in an id of this plan; undefined when the id is of another. */
  traceKey(traceId: string): TraceKey | undefined {
    const key = { request: parseHex(traceId, 20, 28), trace: parseHex(traceId, 28, 32) };
    return this.traceId(key) === traceId ? key : undefined;
  }

  /** The id of a span: its request and its index there, after four digits that vary. */
  spanId(request: number, index: number): string {
    return hex16(mix(request, index, this.#seed) & 0xffff) + hex32(request) + hex16(index);
  }

  /** The request and the index in an id of a span; undefined when the id is of another plan. */
  spanKey(spanId: string): { readonly request: number; readonly index: number } | undefined {
    const key = { request: parseHex(spanId, 4, 12), index: parseHex(spanId, 12, 16) };
    return this.spanId(key.request, key.index) === spanId ? key : undefined;
  }

  /** A span of a request. */
  span(request: PlannedRequest, index: number): PlannedSpan {
    const { number, payloadLength, traceSpans } = request;
    const key = this.traceOf(request, index);
    const dice = mix(this.#seed, number, index);
    const other = mix(index, number, dice);
    const isLate = key.request !== number;
    const firstOfTrace = isLate ? 0 : key.trace * traceSpans;
    const traceId = this.traceId(key);
    const spanId = this.spanId(number, index);
    const span = {
      traceId,
      spanId,
      parentSpanId: isLate || index > firstOfTrace ? this.spanId(key.request, firstOfTrace) : '',
      // One of a thousand names is its own: dictionaries grow.
      name: dice % 1000 === 0 ? `operation ${spanId}` : `operation ${dice % NAMES}`,
      serviceName: SpanPlan.serviceName(number + (index < request.spans / 2 ? 0 : 1)),
      kind: 1 + (other % 5),
      startTimeUnixNano: this.#originUnixNano + BigInt(number) * 1_000_000n + BigInt(index * 1001),
      durationNanos: dice % 2_000_000_011,
      isError: other % 37 === 0,
      hasEvent: other % 11 === 0,
      payload: this.#payload(other, payloadLength),
    };
    return { ...span, checksum: checksumOf(span) };
  }

  #payload(dice: number, length: number): string {
    const start = dice % (POOL_LENGTH - length);
    return this.#pool.slice(start, start + length);
  }
}

/** Checksum over the content of a span. */
function checksumOf(span: Omit<PlannedSpan, 'checksum'>): string {
  const { traceId, spanId, parentSpanId, name, serviceName, kind, payload } = span;
  const { startTimeUnixNano, durationNanos, isError, hasEvent } = span;
  const ids = `${traceId} ${spanId} ${parentSpanId} ${name} ${serviceName} ${kind}`;
  const rest = `${startTimeUnixNano} ${durationNanos} ${isError} ${hasEvent} ${payload}`;
  return hex32(crc32(`${ids} ${rest}`));
}

/** Mixes three numbers into 32 bits (the finalizer of MurmurHash3 over a weighted sum). */
function mix(a: number, b: number, c: number): number {
  let h =
    Math.imul(a, 0x9e3779b1) ^ Math.imul(b + 0x7f4a7c15, 0x85ebca77) ^ Math.imul(c + 1, 0xc2b2ae3d);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

function hex16(value: number): string {
  return (value & 0xffff).toString(16).padStart(4, '0');
}

function parseHex(text: string, start: number, end: number): number {
  return Number.parseInt(text.slice(start, end), 16);
}
