// SPDX-License-Identifier: Apache-2.0
import { SpanKind } from '#model/span.ts';
import { encodeText } from '#model/utf8.ts';
import type { ZipkinSide, ZipkinSpan } from './zipkin-span.ts';

/**
 * A list of spans of Zipkin's version 2 in JSON. Times after 2255 lose their last digits, as JSON's numbers do.
 * @see https://zipkin.io/zipkin-api/zipkin2-api.yaml
 */
export function encodeZipkinJson(spans: readonly ZipkinSpan[]): Uint8Array {
  return encodeText(JSON.stringify(spans.map(jsonSpan)));
}

function jsonSpan(span: ZipkinSpan): object {
  const { parentId, name, timestampMicros, durationMicros, annotations, tags } = span;
  return {
    traceId: span.traceId,
    ...(parentId === '' ? {} : { parentId }),
    id: span.id,
    ...(span.kind in KINDS ? { kind: KINDS[span.kind] } : {}),
    ...(name === '' ? {} : { name }),
    ...(timestampMicros === 0n ? {} : { timestamp: Number(timestampMicros) }),
    ...(durationMicros === 0n ? {} : { duration: Number(durationMicros) }),
    ...side('localEndpoint', span.local),
    ...side('remoteEndpoint', span.remote),
    ...(annotations.length === 0
      ? {}
      : {
          annotations: annotations.map((annotation) => ({
            timestamp: Number(annotation.timestampMicros),
            value: annotation.value,
          })),
        }),
    ...(tags.size === 0 ? {} : { tags: Object.fromEntries(tags) }),
    ...(span.debug ? { debug: true } : {}),
    ...(span.shared ? { shared: true } : {}),
  };
}

function side(name: string, known: ZipkinSide): object {
  const entries = Object.entries(known).filter(([, value]) => value !== '' && value !== 0);
  return entries.length === 0 ? {} : { [name]: Object.fromEntries(entries) };
}

const KINDS: Readonly<Record<number, string>> = {
  [SpanKind.client]: 'CLIENT',
  [SpanKind.server]: 'SERVER',
  [SpanKind.producer]: 'PRODUCER',
  [SpanKind.consumer]: 'CONSUMER',
};
