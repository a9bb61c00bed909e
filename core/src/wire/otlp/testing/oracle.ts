// SPDX-License-Identifier: Apache-2.0
import { create, fromBinary, type Message, toBinary, toJson } from '@bufbuild/protobuf';
import { BatchBuilder } from '#model/batch-builder.ts';
import type { SpanBatch } from '#model/span-batch.ts';
import { OtlpProtoDecoder } from '../decode.ts';
import { OtlpJsonDecoder } from '../decode-json.ts';
import { OtlpProtoEncoder } from '../encode.ts';
import type { Init } from './arbitrary-request.ts';
import { EXPORT_REQUEST, otlpMessage } from './otlp-descriptors.ts';

/** Protobuf of a request, by the official library. */
export function encodeRequest(request: Init): Uint8Array<ArrayBuffer> {
  return toBinary(EXPORT_REQUEST, create(EXPORT_REQUEST, request));
}

/** OTLP/JSON of a request, by the official library but for the ids, which OTLP has in hex. */
export function jsonRequest(request: Init): unknown {
  const json = toJson(EXPORT_REQUEST, create(EXPORT_REQUEST, request), { enumAsInteger: true });
  return withHexIds(json);
}

/**
 * The spans of an encoded request as the official library reads them, each as text with all that it belongs to, in
 * order. What has no spans does not count.
 */
export function spansOf(bytes: Uint8Array): string[] {
  interface Group extends Message {
    readonly schemaUrl: string;
    readonly resource?: Message;
    readonly scope?: Message;
    readonly scopeSpans: readonly Group[];
    readonly spans: readonly Message[];
  }
  // The fields are those of the descriptors.
  const request = fromBinary(EXPORT_REQUEST, bytes, { readUnknownFields: false }) as unknown as {
    readonly resourceSpans: readonly Group[];
  };
  return request.resourceSpans.flatMap((resourceSpans) =>
    resourceSpans.scopeSpans.flatMap((scopeSpans) =>
      scopeSpans.spans.map((span) =>
        [
          hexOf('Resource', resourceSpans.resource),
          resourceSpans.schemaUrl,
          hexOf('InstrumentationScope', scopeSpans.scope),
          scopeSpans.schemaUrl,
          hexOf('Span', span),
        ].join(' | '),
      ),
    ),
  );
}

/** Decodes protobuf in one go into a batch. */
export function decodeProto(bytes: Uint8Array): SpanBatch {
  const decoder = new OtlpProtoDecoder();
  const builder = new BatchBuilder(16);
  decoder.begin(bytes);
  decoder.decode(builder);
  return builder.finish();
}

/** Decodes OTLP/JSON in one go into a batch. */
export function decodeJson(text: string | Uint8Array): SpanBatch {
  const decoder = new OtlpJsonDecoder();
  const builder = new BatchBuilder(16);
  decoder.begin(typeof text === 'string' ? new TextEncoder().encode(text) : text);
  decoder.decode(builder);
  return builder.finish();
}

/** The spans of a batch, as the official library reads what our encoder writes. */
export function spansOfBatch(batch: SpanBatch): string[] {
  return spansOf(new OtlpProtoEncoder(batch).encode());
}

function hexOf(name: string, message: Message | undefined): string {
  return message === undefined ? 'absent' : toBinary(otlpMessage(name), message).toHex();
}

function withHexIds(json: unknown, key = ''): unknown {
  if (Array.isArray(json)) return json.map((item) => withHexIds(item));
  if (json !== null && typeof json === 'object') {
    return Object.fromEntries(
      Object.entries(json).map(([name, value]) => [name, withHexIds(value, name)]),
    );
  }
  return typeof json === 'string' && /^(trace|span|parentSpan)Id$/.test(key)
    ? Uint8Array.fromBase64(json).toHex()
    : json;
}
