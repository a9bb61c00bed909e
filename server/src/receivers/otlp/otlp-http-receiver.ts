// SPDX-License-Identifier: Apache-2.0
import type { StatusFormat } from '#net/http-exchange.ts';
import {
  HttpReceiver,
  type HttpDialect,
  type HttpReceiverSettings,
} from '#receivers/http-receiver.ts';
import type { PlacedReceiverParts } from '#receivers/intake.ts';
import { encodeExportResponse, formatExportResponse } from './export-response.ts';

/** Settings of the OTLP/HTTP receiver. */
export interface OtlpHttpSettings extends HttpReceiverSettings {
  /** Path of trace requests. */
  readonly tracesPath: string;
}

const JSON_TYPE: StatusFormat = 'application/json';
const PROTOBUF_TYPE: StatusFormat = 'application/x-protobuf';

/**
 * Receives OTLP/HTTP: POST of an ExportTraceServiceRequest in protobuf or JSON.
 * @throws {SpoorError} config: the CORS origins can't be read
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/docs/specification.md#otlphttp
 */
export function createOtlpHttpReceiver(
  settings: OtlpHttpSettings,
  parts: PlacedReceiverParts,
): HttpReceiver {
  return new HttpReceiver(settings, parts, otlpDialect(settings.tracesPath));
}

function otlpDialect(tracesPath: string): HttpDialect {
  return {
    name: 'otlp http',
    routes: [
      {
        path: tracesPath,
        formats: new Map([
          [PROTOBUF_TYPE, 'otlp_proto'],
          [JSON_TYPE, 'otlp_json'],
        ]),
      },
    ],
    answer(exchange, format, result, headers) {
      const isJson = format === 'otlp_json';
      headers.push('content-type', isJson ? JSON_TYPE : PROTOBUF_TYPE);
      const body = isJson ? formatExportResponse(result) : encodeExportResponse(result);
      exchange.answer(200, headers, body);
    },
    refuse(exchange, format, refusal, headers) {
      exchange.refuse(refusal, format === 'otlp_proto' ? PROTOBUF_TYPE : JSON_TYPE, headers);
    },
  };
}
