// SPDX-License-Identifier: Apache-2.0
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { SpoorError, quote } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import { warnOfClearTokens } from '#net/clear-tokens.ts';
import { Cors, type CorsSettings } from '#net/cors.ts';
import type { Compression } from '#net/decompress.ts';
import {
  ACCEPTED_ENCODINGS,
  readCompression,
  receiveBody,
  type ReceivedBody,
} from '#net/http-body.ts';
import type { GuestPort } from '#net/guest-port.ts';
import type { HttpExchange } from '#net/http-exchange.ts';
import { HttpListener, type HttpListenerSettings } from '#net/http-listener.ts';
import type { BoundAddress } from '#net/listening-socket.ts';
import { makeRefusal, refusalOf, type Refusal } from '#net/refusal.ts';
import type { ServerTls } from '#net/tls/server-tls.ts';
import type { IngestFormat, IngestResult } from '#pipeline/trace-ingest.ts';
import { ReceiverIntake, type PlacedReceiverParts } from './intake.ts';
import type { CountedFormat, ReceiverFigures } from './receiver-counters.ts';

/** Settings of a receiver over HTTP. */
export interface HttpReceiverSettings extends HttpListenerSettings {
  /** Largest request, both before and after decompression, in bytes. */
  readonly bodyCapBytes: number;
  /** Which web pages of other origins may send spans. */
  readonly cors: CorsSettings;
}

/** A path that takes spans. */
export interface HttpRoute {
  readonly path: string;
  /** What its bodies can be, by content type. */
  readonly formats: ReadonlyMap<string, IngestFormat>;
  /** What a body of any other content type is, but from web pages that may not send; undefined: refused. */
  readonly otherwise?: IngestFormat;
}

/** Answers a GET of a path that takes no spans. */
export type HttpQuestion = (exchange: HttpExchange) => void;

/** What a protocol over HTTP has of its own: where it takes spans, and its answers. */
export interface HttpDialect {
  /** How the log calls it, such as `otlp http`. */
  readonly name: string;
  readonly routes: readonly HttpRoute[];
  /** What else is asked here, by path. */
  readonly questions?: ReadonlyMap<string, HttpQuestion>;
  /** Answers a request that was taken. */
  answer(
    exchange: HttpExchange,
    format: IngestFormat,
    result: IngestResult,
    headers: string[],
  ): void;
  /** Answers one that was not. */
  refuse(exchange: HttpExchange, format: CountedFormat, refusal: Refusal, headers: string[]): void;
}

/** Receives spans over HTTP: a POST of a whole request to one of the paths of its {@link HttpDialect}. */
export class HttpReceiver {
  readonly #settings: HttpReceiverSettings;
  readonly #parts: PlacedReceiverParts;
  readonly #dialect: HttpDialect;
  readonly #routes: ReadonlyMap<string, HttpRoute>;
  readonly #listener: HttpListener;
  readonly #cors: Cors;
  readonly #intake: ReceiverIntake;

  /**
   * @param guest that connections over HTTP/2 are for
   * @throws {SpoorError} config: the CORS origins can't be read
   */
  constructor(
    settings: HttpReceiverSettings,
    parts: PlacedReceiverParts,
    dialect: HttpDialect,
    guest?: GuestPort,
  ) {
    this.#settings = settings;
    this.#parts = parts;
    this.#dialect = dialect;
    this.#routes = new Map(dialect.routes.map((route) => [route.path, route]));
    this.#intake = new ReceiverIntake(dialect.name, parts);
    const { header, challenges } = parts.tenancy;
    const allowedHeaders = [
      ...settings.cors.allowedHeaders,
      ...(header === undefined ? [] : [header]),
      ...(challenges === undefined ? [] : ['authorization']),
    ];
    this.#cors = new Cors({ ...settings.cors, allowedHeaders });
    this.#listener = new HttpListener(
      parts.path,
      settings,
      (exchange) => this.#onRequest(exchange),
      (refusal) => this.#intake.counters.countRefused('unknown', refusal),
      parts.logger,
      guest,
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

  /** Undefined where it speaks plain text. */
  get tls(): ServerTls | undefined {
    return this.#listener.tls;
  }

  /** What was received since the start. */
  get figures(): ReceiverFigures {
    return this.#intake.counters.figures;
  }

  /** Binds; see {@link HttpListener.start}. */
  start(): Promise<void> {
    const { path, tenancy, logger } = this.#parts;
    warnOfClearTokens(path, this.#settings, tenancy, logger);
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
      const url = request.url ?? '';
      const route = this.#routes.get(url) ?? this.#routes.get(pathOf(url));
      if (route === undefined) {
        const question = this.#dialect.questions?.get(pathOf(url));
        if (question !== undefined && request.method === 'GET') {
          exchange.closing = this.#listener.draining;
          question(exchange);
          return;
        }
        this.#refuse(exchange, format, wrongPath(request, this.#dialect));
        return;
      }
      if (request.method === 'OPTIONS' && this.#cors.enabled) {
        this.#answerPreflight(exchange);
        return;
      }
      format = this.#readFormat(route, request.headers);
      if (request.method !== 'POST') {
        const allow = this.#cors.enabled ? 'POST, OPTIONS' : 'POST';
        this.#refuse(exchange, format, wrongMethod(request), ['allow', allow]);
        return;
      }
      if (format === 'unknown') throw wrongType(request, route);
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
    const { bytes, wireBytes, lease } = body;
    const request = { format, bytes, wireBytes, lease };
    const outcome = await this.#intake.take(tenant, request, { sender: exchange });
    if ('refusal' in outcome) this.#refuse(exchange, format, outcome.refusal);
    else this.#dialect.answer(exchange, format, outcome.result, this.#commonHeaders(exchange));
  }

  #refuse(
    exchange: HttpExchange,
    format: CountedFormat,
    refusal: Refusal,
    headers: readonly string[] = [],
  ): void {
    this.#intake.counters.countRefused(format, refusal);
    const sent = [...headers, ...this.#commonHeaders(exchange)];
    if (refusal.reason === 'unauthenticated') {
      for (const challenge of this.#parts.tenancy.challenges ?? []) {
        sent.push('www-authenticate', challenge);
      }
    }
    this.#dialect.refuse(exchange, format, refusal, sent);
  }

  #answerPreflight(exchange: HttpExchange): void {
    const { origin, 'access-control-request-headers': requested } = exchange.request.headers;
    exchange.answer(204, this.#cors.preflightHeaders(origin, requested), '');
  }

  #commonHeaders(exchange: HttpExchange): string[] {
    exchange.closing = this.#listener.draining;
    return this.#cors.enabled ? this.#cors.responseHeaders(exchange.request.headers.origin) : [];
  }

  /**
   * Browsers ask before they send one of the types that routes list, but any page may send others without being let:
   * those count only where there is no page, or it is let in.
   */
  #readFormat(route: HttpRoute, headers: IncomingHttpHeaders): CountedFormat {
    const { origin, 'content-type': contentType } = headers;
    const mayBeOther = origin === undefined || this.#cors.allows(origin);
    return (
      readFormat(route, contentType) ?? (mayBeOther ? route.otherwise : undefined) ?? 'unknown'
    );
  }

  #readTenant(request: IncomingMessage): Tenant {
    const { headers, socket } = request;
    return this.#parts.tenancy.tenantOf((header) => headers[header], socket.remoteAddress);
  }
}

/** The path alone, also of the absolute form that proxies send. */
function pathOf(url: string): string {
  const path = url.replace(/^https?:\/\/[^/?]*/i, '');
  const query = path.indexOf('?');
  return query < 0 ? path : path.slice(0, query);
}

function readFormat({ formats }: HttpRoute, contentType = ''): IngestFormat | undefined {
  const end = contentType.indexOf(';');
  const mediaType = end < 0 ? contentType : contentType.slice(0, end);
  return formats.get(mediaType) ?? formats.get(mediaType.trim().toLowerCase());
}

function wrongPath(request: IncomingMessage, { routes }: HttpDialect): Refusal {
  const paths = routes.map((route) => route.path).join(' and ');
  const message = `path ${quote(request.url ?? '')} is not served here, only ${paths}`;
  return makeRefusal('wrong_path', { http: 404, grpc: 5 }, message);
}

function wrongMethod(request: IncomingMessage): Refusal {
  const message = `method ${quote(request.method ?? '')} is not allowed, only POST`;
  return makeRefusal('wrong_method', { http: 405, grpc: 12 }, message);
}

function wrongType(request: IncomingMessage, { formats }: HttpRoute): SpoorError {
  const contentType = quote(request.headers['content-type'] ?? '');
  const known = [...formats.keys()].join(' or ');
  return new SpoorError('unsupported', `content type ${contentType} is not ${known}`);
}
