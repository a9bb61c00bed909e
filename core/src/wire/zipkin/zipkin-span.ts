// SPDX-License-Identifier: Apache-2.0
import type { Attribute } from '#model/attributes.ts';
import { type Span, SpanKind, StatusCode } from '#model/span.ts';
import { droppedCounts } from '#wire/mapping/dropped-counts.ts';
import { plainValue, valueText } from '#wire/mapping/value-text.ts';
import { parseIp } from './ip-address.ts';

/** A side of a call: texts are empty, and the port is 0, where they are not known. */
export interface ZipkinSide {
  readonly serviceName: string;
  /** Addresses that `parseIp` reads. */
  readonly ipv4: string;
  readonly ipv6: string;
  readonly port: number;
}

/** A span of Zipkin's version 2, as its encoders take it. */
export interface ZipkinSpan {
  /** Hex, of full length; the parent's is empty where there is none. */
  readonly traceId: string;
  readonly id: string;
  readonly parentId: string;
  readonly name: string;
  /** A `SpanKind`; one that Zipkin does not have is `unspecified`. */
  readonly kind: number;
  /** µs; 0 is not known. */
  readonly timestampMicros: bigint;
  readonly durationMicros: bigint;
  readonly local: ZipkinSide;
  readonly remote: ZipkinSide;
  readonly annotations: readonly { readonly timestampMicros: bigint; readonly value: string }[];
  readonly tags: ReadonlyMap<string, string>;
  readonly debug: boolean;
  readonly shared: boolean;
}

/**
 * The span of Zipkin that `ZipkinRow` reads as this span: the inverse of its mapping, for all that Zipkin can hold.
 * @see https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/
 */
export function toZipkinSpan(span: Span): ZipkinSpan {
  const rest = new Rest(span.attributes);
  const startMicros = span.startTimeUnixNano / 1000n;
  if (startMicros === 0n) rest.takeFlag('otel.zipkin.absentField.startTime');
  const local = { ...rest.takeAddress('host'), serviceName: span.resource.serviceName };
  const serviceName = rest.takeText('peer.service', (text) => text !== '');
  const remote = { ...rest.takeAddress('peer'), serviceName };
  return {
    traceId: span.traceId,
    id: span.spanId,
    parentId: /^0*$/.test(span.parentSpanId) ? '' : span.parentSpanId,
    name: span.name,
    kind: span.kind >= SpanKind.server && span.kind <= SpanKind.consumer ? span.kind : 0,
    timestampMicros: startMicros,
    durationMicros: durationMicros(span),
    local,
    remote,
    annotations: span.events.map((event) => ({
      timestampMicros: event.timeUnixNano / 1000n,
      value: annotationText(event),
    })),
    debug: rest.takeFlag('zipkin.debug'),
    shared: rest.takeFlag('zipkin.shared'),
    tags: tagsOf(span, rest.attributes),
  };
}

/** Attributes that no field of Zipkin holds, as fields take theirs out. */
class Rest {
  readonly attributes: Attribute[];

  constructor(attributes: readonly Attribute[]) {
    this.attributes = [...attributes];
  }

  /** Takes a text that is fit, or gives an empty one. The last one is taken: there the reader puts it. */
  takeText(key: string, isFit: (text: string) => boolean): string {
    const value = this.#take(key, (v) => v.type === 'string' && isFit(v.value));
    return value?.type === 'string' ? value.value : '';
  }

  takeFlag(key: string): boolean {
    return this.#take(key, (value) => value.type === 'bool' && value.value) !== undefined;
  }

  takeAddress(side: 'host' | 'peer'): Omit<ZipkinSide, 'serviceName'> {
    const ipv6 = this.takeText(`net.${side}.ip`, (text) => parseIp(text)?.length === 16);
    const ipv4 = this.takeText(`net.${side}.ip`, (text) => parseIp(text)?.length === 4);
    const port = this.#take(
      `net.${side}.port`,
      (value) => value.type === 'int' && value.value > 0n && value.value < 65_536n,
    );
    return { ipv4, ipv6, port: port?.type === 'int' ? Number(port.value) : 0 };
  }

  #take(
    key: string,
    isFit: (value: Attribute['value']) => boolean,
  ): Attribute['value'] | undefined {
    const at = this.attributes.findLastIndex((entry) => entry.key === key && isFit(entry.value));
    return at < 0 ? undefined : this.attributes.splice(at, 1)[0]!.value;
  }
}

/** Up to a µs counts as one, since 0 is not known; so is what ends before it starts. */
function durationMicros({ startTimeUnixNano, endTimeUnixNano }: Span): bigint {
  const nanos = BigInt.asIntN(64, endTimeUnixNano - startTimeUnixNano);
  if (nanos <= 0n) return 0n;
  return nanos < 1000n ? 1n : nanos / 1000n;
}

/** An annotation is a text; the specification puts attributes behind the name. */
function annotationText({
  name,
  attributes,
  droppedAttributesCount,
}: Span['events'][number]): string {
  const all = [...attributes, ...droppedCounts('attributes', droppedAttributesCount)];
  if (all.length === 0) return name;
  return `${JSON.stringify(name)}: ${JSON.stringify(plainValue({ type: 'kvlist', value: all }))}`;
}

/** Tags with a meaning, then the attributes of the span, then those of its resource; of equal keys the first counts. */
function tagsOf(span: Span, attributes: readonly Attribute[]): Map<string, string> {
  const tags = new Map<string, string>();
  const put = (key: string, value: string): void => {
    if (!tags.has(key)) tags.set(key, value);
  };
  const { scope, traceState, resource } = span;
  if (span.kind === SpanKind.internal) put('span.kind', 'internal');
  putStatus(span, attributes, put);
  if (traceState !== '') put('w3c.tracestate', traceState);
  if (scope.present) {
    put('otel.scope.name', scope.name);
    const hasOlder = attributes.some(({ key }) => key === 'otel.library.version');
    if (scope.version !== '' || hasOlder) put('otel.scope.version', scope.version);
  }
  for (const { key, value } of [
    ...attributes,
    ...droppedCounts('attributes', span.droppedAttributesCount),
    ...droppedCounts('events', span.droppedEventsCount),
    ...droppedCounts('links', span.droppedLinksCount),
    ...resource.attributes.filter((attribute) => attribute.key !== 'service.name'),
  ]) {
    put(key, valueText(value));
  }
  return tags;
}

/** The status: its code in one tag; its message in the tag that marks an error, or else in one of its own. */
function putStatus(
  { status }: Span,
  attributes: readonly Attribute[],
  put: (key: string, value: string) => void,
): void {
  const code = status?.code ?? StatusCode.unset;
  const message = status?.message ?? '';
  /** The message that a reader takes from the tag. */
  let said = '';
  if (code === StatusCode.error) {
    const own = attributes.find(({ key }) => key === 'error')?.value;
    const ownText = own === undefined ? '' : valueText(own);
    const isMessage = message !== 'true' && message !== 'false';
    const error = ownText === '' || ownText === 'true' ? (isMessage && message) || 'true' : ownText;
    if (error !== 'true' && error !== 'false') said = error;
    put('error', error);
    // An attribute of that name keeps its place: the error tag is enough.
    if (!attributes.some(({ key }) => key === 'otel.status_code')) put('otel.status_code', 'ERROR');
  } else if (code === StatusCode.ok) put('otel.status_code', 'OK');
  else if (message !== '') put('otel.status_code', 'UNSET');
  if (message !== said) put('otel.status_description', message);
}
