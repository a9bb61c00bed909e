// SPDX-License-Identifier: Apache-2.0
import { wellFormed } from '#net/refusal.ts';
import { encodeBytes, encodeInt, encodeText } from '#net/rpc-status.ts';
import type { IngestResult } from '#pipeline/trace-ingest.ts';

const EMPTY = Buffer.alloc(0);

/**
 * ExportTraceServiceResponse as protobuf. `partial_success` stays unset when nothing was rejected.
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/opentelemetry/proto/collector/trace/v1/trace_service.proto
 */
export function encodeExportResponse(result: IngestResult): Buffer {
  if (result.rejected === 0) return EMPTY;
  const partialSuccess = [encodeInt(1, result.rejected), encodeText(2, wellFormed(result.message))];
  return encodeBytes(1, Buffer.concat(partialSuccess));
}

/** ExportTraceServiceResponse as OTLP/JSON. */
export function formatExportResponse(result: IngestResult): string {
  if (result.rejected === 0) return '{}';
  return JSON.stringify({
    partialSuccess: {
      rejectedSpans: String(result.rejected),
      errorMessage: wellFormed(result.message),
    },
  });
}
