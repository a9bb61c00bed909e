// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import { SpoorError, quote } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import { Cors } from '#net/cors.ts';
import type { Compression } from '#net/decompress.ts';
import {
  ACCEPTED_ENCODINGS,
  readCompression,
  receiveBody,
  type ReceivedBody,
} from '#net/http-body.ts';
import type { HttpExchange, StatusFormat } from '#net/http-exchange.ts';
import { HttpListener } from '#net/http-listener.ts';
import type { BoundAddress } from '#net/listening-socket.ts';
import { makeRefusal, refusalOf, type Refusal } from '#net/refusal.ts';
import type { IngestFormat, IngestResult } from '#pipeline/trace-ingest.ts';
import { ExportIntake, type OtlpReceiverParts } from './export-intake.ts';
import { encodeExportResponse, formatExportResponse } from './export-response.ts';
import type { OtlpHttpSettings } from './otlp-settings.ts';
import type { CountedFormat, ReceiverFigures } from './receiver-counters.ts';

const FORMATS: ReadonlyMap<string, IngestFormat> = new Map([
  ['application/x-protobuf', 'otlp_proto'],
  ['application/json', 'otlp_json'],
]);

const CONTENT_TYPES: Readonly<Record<CountedFormat, StatusFormat>> = {
  otlp_proto: 'application/x-protobuf',
  otlp_json: 'application/json',
  unknown: 'application/json',
};

/**
 * Receives OTLP/HTTP: POST of an ExportTraceServiceRequest in protobuf or JSON.
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/docs/specification.md#otlphttp
 */
export class OtlpHttpReceiver {
  readonly #settings: OtlpHttpSettings;
  readonly #parts: OtlpReceiverParts;
  readonly #listener: HttpListener;
  readonly #cors: Cors;
  readonly #intake: ExportIntake;

  /** @throws {SpoorError} config: the CORS origins can't be read */
  constructor(settings: OtlpHttpSettings, parts: OtlpReceiverParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#intake = new ExportIntake('otlp http', parts);
    const { header } = parts.tenancy;
    const allowedHeaders = [
      ...settings.cors.allowedHeaders,
      ...(header === undefined ? [] : [header]),
    ];
    this.#cors = new Cors({ ...settings.cors, allowedHeaders });
    this.#listener = new HttpListener(
      'receivers.otlp.protocols.http',
      settings,
      (exchange) => this.#onRequest(exchange),
      (refusal) => this.#intake.counters.countRefused('unknown', refusal),
      parts.logger,
    );
  }

  /** Where the receiver is bound, or undefined while it isn't. */
  get address(): BoundAddress | undefined {
    return this.#listener.address;
  }

  /** Connections open now, and those dropped because there were too many. */
  get connections(): { readonly open: number; readonly dropped: number } {
    return this.#listener.connections;
  }

  /** What was received since the start. */
  get figures(): ReceiverFigures {
    return this.#intake.counters.figures;
  }

  /** Binds; see {@link HttpListener.start}. */
  start(): Promise<void> {
    return this.#listener.start();
  }

  /** Lets running requests finish; see {@link HttpListener.shutdown}. */
  shutdown(deadlineMs: number): Promise<void> {
    return this.#listener.shutdown(deadlineMs);
  }

  #onRequest(exchange: HttpExchange): void {
    const { request } = exchange;
    let format: CountedFormat = 'unknown';
    let compression: Compression | 'identity';
    let tenant: Tenant;
    try {
      if (request.url !== this.#settings.tracesPath && !this.#isTracesUrl(request.url ?? '')) {
        this.#refuse(exchange, format, wrongPath(request, this.#settings.tracesPath));
        return;
      }
      if (request.method === 'OPTIONS' && this.#cors.enabled) {
        this.#answerPreflight(exchange);
        return;
      }
      format = readFormat(request.headers['content-type']) ?? 'unknown';
      if (request.method !== 'POST') {
        const allow = this.#cors.enabled ? 'POST, OPTIONS' : 'POST';
        this.#refuse(exchange, format, wrongMethod(request), ['allow', allow]);
        return;
      }
      if (format === 'unknown') throw wrongType(request);
      if (this.#listener.draining) throw new SpoorError('unavailable', 'the server is stopping');
      compression = readCompression(request.headers['content-encoding']);
      tenant = this.#readTenant(request);
    } catch (error) {
      const refusal = refusalOf(error);
      const isUnsupported = refusal.reason === 'unsupported' && format !== 'unknown';
      const headers = isUnsupported ? ['accept-encoding', ACCEPTED_ENCODINGS] : [];
      this.#refuse(exchange, format, refusal, headers);
      return;
    }
    const known = format;
    const limits = { budget: this.#parts.budgetOf(tenant), capBytes: this.#settings.bodyCapBytes };
    receiveBody(exchange, compression, limits, (refusal, body) => {
      if (body !== undefined) void this.#ingest(exchange, tenant, known, body);
      else if (refusal !== undefined) this.#refuse(exchange, known, refusal);
    });
  }

  async #ingest(
    exchange: HttpExchange,
    tenant: Tenant,
    format: IngestFormat,
    body: ReceivedBody,
  ): Promise<void> {
    const abort = new AbortController();
    exchange.response.on('close', () => {
      if (!exchange.response.writableEnded) abort.abort();
    });
    const outcome = await this.#intake.take(tenant, { format, ...body }, abort.signal);
    if ('result' in outcome) this.#answer(exchange, format, outcome.result);
    else this.#refuse(exchange, format, outcome.refusal);
  }

  #answer(exchange: HttpExchange, format: IngestFormat, result: IngestResult): void {
    const headers = this.#commonHeaders(exchange);
    headers.push('content-type', CONTENT_TYPES[format]);
    const body =
      format === 'otlp_json' ? formatExportResponse(result) : encodeExportResponse(result);
    exchange.answer(200, headers, body);
  }

  #refuse(
    exchange: HttpExchange,
    format: CountedFormat,
    refusal: Refusal,
    headers: readonly string[] = [],
  ): void {
    this.#intake.counters.countRefused(format, refusal);
    const sent = [...headers, ...this.#commonHeaders(exchange)];
    exchange.refuse(refusal, CONTENT_TYPES[format], sent);
  }

  #answerPreflight(exchange: HttpExchange): void {
    const { origin, 'access-control-request-headers': requested } = exchange.request.headers;
    exchange.answer(204, this.#cors.preflightHeaders(origin, requested), '');
  }

  #commonHeaders(exchange: HttpExchange): string[] {
    exchange.closing = this.#listener.draining;
    return this.#cors.enabled ? this.#cors.responseHeaders(exchange.request.headers.origin) : [];
  }

  // Also with a query, and in the absolute form that proxies send.
  #isTracesUrl(url: string): boolean {
    const path = url.replace(/^https?:\/\/[^/?]*/i, '');
    const query = path.indexOf('?');
    return (query < 0 ? path : path.slice(0, query)) === this.#settings.tracesPath;
  }

  #readTenant(request: IncomingMessage): Tenant {
    return this.#parts.tenancy.tenantOf((header) => request.headers[header]);
  }
}

function readFormat(contentType: string | undefined): IngestFormat | undefined {
  if (contentType === undefined) return undefined;
  const end = contentType.indexOf(';');
  const mediaType = end < 0 ? contentType : contentType.slice(0, end);
  return FORMATS.get(mediaType) ?? FORMATS.get(mediaType.trim().toLowerCase());
}

function wrongPath(request: IncomingMessage, tracesPath: string): Refusal {
  const message = `path ${quote(request.url ?? '')} is not served here, only ${tracesPath}`;
  return makeRefusal('wrong_path', { http: 404, grpc: 5 }, message);
}

function wrongMethod(request: IncomingMessage): Refusal {
  const message = `method ${quote(request.method ?? '')} is not allowed, only POST`;
  return makeRefusal('wrong_method', { http: 405, grpc: 12 }, message);
}

function wrongType(request: IncomingMessage): SpoorError {
  const contentType = quote(request.headers['content-type'] ?? '');
  const known = [...FORMATS.keys()].join(' or ');
  return new SpoorError('unsupported', `content type ${contentType} is not ${known}`);
}
