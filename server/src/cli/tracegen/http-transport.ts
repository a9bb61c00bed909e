// SPDX-License-Identifier: Apache-2.0
import http from 'node:http';
import https from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { SpoorError, quote } from '@spoor/core/model/errors.ts';
import type { LoadTransport, LoadTransportOptions } from './load-transport.ts';
import { decodeExportResponse, type SendOutcome } from './otlp-answer.ts';

const compress = promisify(gzip);

/**
 * Statuses after which the same request may be sent again; all others are final.
 * @see https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes
 */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Answers of a receiver are short; more is not read. */
const MAX_ANSWER_BYTES = 64 << 10;

/** OTLP over HTTP, protobuf. */
export class HttpTransport implements LoadTransport {
  readonly #url: URL;
  readonly #agent: http.Agent;
  readonly #options: LoadTransportOptions;
  readonly #request: typeof http.request;

  /** @throws {SpoorError} invalid_argument: the endpoint is no http or https URL */
  constructor(options: LoadTransportOptions) {
    this.#options = options;
    this.#url = parseUrl(options.endpoint);
    const secure = this.#url.protocol === 'https:';
    const agentOptions = { keepAlive: true, maxSockets: options.workers };
    this.#agent = secure ? new https.Agent(agentOptions) : new http.Agent(agentOptions);
    this.#request = secure ? https.request : http.request;
  }

  async send(body: Uint8Array, tenant: string): Promise<SendOutcome> {
    const {
      gzip: compressed,
      headers,
      tenantHeader,
      contentType = 'application/x-protobuf',
    } = this.#options;
    const payload = compressed ? await compress(body) : body;
    return await this.#exchange(payload, {
      ...headers,
      'content-type': contentType,
      'content-length': payload.length,
      ...(compressed ? { 'content-encoding': 'gzip' } : {}),
      ...(tenant === '' ? {} : { [tenantHeader]: tenant }),
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #exchange(payload: Uint8Array, headers: http.OutgoingHttpHeaders): Promise<SendOutcome> {
    return await new Promise((resolve) => {
      const request = this.#request(
        this.#url,
        { method: 'POST', agent: this.#agent, headers, timeout: this.#options.timeoutMs },
        (response) => {
          const chunks: Buffer[] = [];
          let bytes = 0;
          response.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes <= MAX_ANSWER_BYTES) chunks.push(chunk);
          });
          response.on('end', () => resolve(readAnswer(response, Buffer.concat(chunks))));
          response.on('error', (error) => resolve(connectionLost(error)));
        },
      );
      request.on('timeout', () => {
        request.destroy(new Error(`no answer within ${this.#options.timeoutMs} ms`));
      });
      // A refusal may come before the body was sent, and the socket may break after it: the first one counts.
      request.on('error', (error) => resolve(connectionLost(error)));
      request.end(payload);
    });
  }
}

function readAnswer(response: http.IncomingMessage, body: Buffer): SendOutcome {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) {
    try {
      return decodeExportResponse(body);
    } catch (error) {
      return { kind: 'failed', reason: `HTTP ${status} with ${String(error)}` };
    }
  }
  const reason = `HTTP ${status}`;
  if (!RETRYABLE.has(status)) return { kind: 'failed', reason };
  return { kind: 'retry', reason, retryAfterMs: parseRetryAfter(response.headers['retry-after']) };
}

/**
 * A `Retry-After` in ms: seconds, or a date.
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function parseRetryAfter(text: string | undefined, nowMs = Date.now()): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

function connectionLost(error: Error): SendOutcome {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  return { kind: 'retry', reason: code, retryAfterMs: undefined };
}

function parseUrl(endpoint: string): URL {
  const text = endpoint.includes('://') ? endpoint : `http://${endpoint}`;
  if (!URL.canParse(text) || !/^https?:/.test(text)) {
    throw new SpoorError(
      'invalid_argument',
      `endpoint ${quote(endpoint)} is not an http or https URL`,
    );
  }
  const url = new URL(text);
  if (url.pathname === '/') url.pathname = '/v1/traces';
  return url;
}
