// SPDX-License-Identifier: Apache-2.0
import { SpoorError, type ErrorCode } from '@spoor/core/model/errors.ts';
import { ProtoReader } from '@spoor/core/wire/protobuf/reader.ts';
import { wellFormed } from '#net/refusal.ts';
import { bytesTag, intTag, readFields, readText } from '#net/rpc-status.ts';
import type { ExportAnswer } from '#exporters/sending/transport.ts';

const ALL_TAKEN: ExportAnswer = { rejectedSpans: 0, message: '' };

/**
 * Reads an `ExportTraceServiceResponse` in protobuf. The request was taken whatever is in it, so what cannot be read says nothing.
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/opentelemetry/proto/collector/trace/v1/trace_service.proto
 */
export function readExportAnswer(bytes: Uint8Array): ExportAnswer {
  const reader = new ProtoReader('otlp answer', bytes);
  let rejectedSpans = 0;
  let message = '';
  try {
    readFields(reader, bytes.length, (tag, end) => {
      if (tag !== bytesTag(1)) {
        reader.skip(tag, end);
        return;
      }
      const successEnd = reader.length(end) + reader.position;
      readFields(reader, successEnd, (field) => {
        if (field === intTag(1)) {
          reader.varint64(successEnd);
          rejectedSpans = Math.max(0, (reader.hi | 0) * 2 ** 32 + reader.lo);
        } else if (field === bytesTag(2)) message = readText(reader, successEnd);
        else reader.skip(field, successEnd);
      });
    });
  } catch {
    return ALL_TAKEN;
  }
  return { rejectedSpans, message: wellFormed(message) };
}

/** How a server answered a request that it did not take. */
export interface ServerRefusal {
  /** As errors name it, such as `HTTP 503` or `UNAVAILABLE`. */
  readonly status: string;
  /** What the server says. */
  readonly message: string;
  /** Its hint when to come again, in ms. */
  readonly retryAfterMs: number | undefined;
}

/** A hint is followed up to this: a server that is wrong about the time must not stop spans for days. */
const MAX_RETRY_AFTER_MS = 10 * 60_000;

/**
 * The error of a refused request.
 * @param server who refused
 */
export function refusedBy(server: string, code: ErrorCode, refusal: ServerRefusal): SpoorError {
  const { status, message, retryAfterMs } = refusal;
  const said = message === '' ? '' : `: ${wellFormed(message)}`;
  return new SpoorError(
    code,
    `${server} answered ${status}${said}`,
    retryAfterMs === undefined ? {} : { retryAfterMs: Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) },
  );
}
