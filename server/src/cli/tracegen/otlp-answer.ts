// SPDX-License-Identifier: Apache-2.0
import { ProtoReader, WireType } from '@spoor/core/wire/protobuf/reader.ts';

/** What a receiver said to one request. */
export type SendOutcome =
  | {
      readonly kind: 'acked';
      /** Spans that were refused for good, by `partial_success`. */
      readonly rejectedSpans: number;
      readonly message: string;
    }
  | {
      /** Refused or lost on the way: the same request may be taken later. */
      readonly kind: 'retry';
      readonly reason: string;
      /** What the receiver asked for; undefined when it did not say. */
      readonly retryAfterMs: number | undefined;
    }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Reads an `ExportTraceServiceResponse`.
 * @throws {SpoorError} malformed
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/opentelemetry/proto/collector/trace/v1/trace_service.proto
 */
export function decodeExportResponse(body: Uint8Array): SendOutcome {
  const reader = new ProtoReader('otlp response', body);
  let rejectedSpans = 0;
  let message = '';
  eachMessage(reader, body.length, 1, (end) => {
    while (reader.position < end) {
      const tag = reader.tag(end);
      if (tag === (1 << 3) + WireType.varint) {
        reader.varint64(end);
        rejectedSpans = reader.hi * 2 ** 32 + reader.lo;
      } else if (tag === (2 << 3) + WireType.bytes) {
        message = readText(reader, end);
      } else {
        reader.skip(tag, end);
      }
    }
  });
  return { kind: 'acked', rejectedSpans, message };
}

/**
 * The delay of the `RetryInfo` in a `google.rpc.Status`, ms; undefined when there is none or it cannot be read.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlpgrpc-throttling
 */
export function decodeRetryDelayMs(status: Uint8Array): number | undefined {
  const reader = new ProtoReader('status', status);
  let delayMs: number | undefined;
  try {
    // Status.details, an Any: type_url and value.
    eachMessage(reader, status.length, 3, (end) => {
      let type = '';
      while (reader.position < end) {
        const tag = reader.tag(end);
        if (tag === (1 << 3) + WireType.bytes) {
          type = readText(reader, end);
        } else if (tag === (2 << 3) + WireType.bytes && type.endsWith('/google.rpc.RetryInfo')) {
          const length = reader.length(end);
          delayMs = 0;
          eachMessage(reader, reader.position + length, 1, (stop) => {
            delayMs = readDurationMs(reader, stop);
          });
        } else {
          reader.skip(tag, end);
        }
      }
    });
  } catch {
    return undefined;
  }
  return delayMs;
}

/** Visits each message in this field of the message that ends at `end`. */
function eachMessage(
  reader: ProtoReader,
  end: number,
  field: number,
  visit: (end: number) => void,
): void {
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag === (field << 3) + WireType.bytes) {
      const length = reader.length(end);
      const stop = reader.position + length;
      visit(stop);
      reader.position = stop;
    } else {
      reader.skip(tag, end);
    }
  }
}

function readDurationMs(reader: ProtoReader, end: number): number {
  let ms = 0;
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag === (1 << 3) + WireType.varint) ms += reader.varint32(end) * 1000;
    else if (tag === (2 << 3) + WireType.varint) ms += reader.varint32(end) / 1e6;
    else reader.skip(tag, end);
  }
  return ms;
}

function readText(reader: ProtoReader, end: number): string {
  const length = reader.length(end);
  const start = reader.position;
  reader.position += length;
  return Buffer.from(reader.bytes.subarray(start, start + length)).toString('utf8');
}
