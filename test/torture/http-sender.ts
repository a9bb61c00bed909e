// SPDX-License-Identifier: Apache-2.0
import http from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { parseRetryAfter } from '../../server/src/cli/tracegen/http-transport.ts';
import {
  decodeExportResponse,
  type SendOutcome,
} from '../../server/src/cli/tracegen/otlp-answer.ts';

const compress = promisify(gzip);

const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const CHUNK_BYTES = 16 << 10;

/** How one request goes over the wire. */
export interface HttpSendOptions {
  readonly gzip?: boolean;
  /** Without a length, in chunks. */
  readonly chunked?: boolean;
  /** The sender loses patience after this time and cuts the connection. */
  readonly patienceMs?: number;
}

/** Sends OTLP/HTTP requests in the ways that exporters do, the rude ones too. */
export class HttpSender {
  readonly #url: string;
  readonly #agent: http.Agent;

  /** @param baseUrl without a slash at the end */
  constructor(baseUrl: string, connections: number) {
    this.#url = `${baseUrl}/v1/traces`;
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Sends a body once; never rejects. An answer that did not come is a `retry` whose reason is no `HTTP …`. */
  async send(body: Uint8Array, options: HttpSendOptions = {}): Promise<SendOutcome> {
    const payload = options.gzip === true ? await compress(body, { level: 1 }) : body;
    return await new Promise((resolve) => {
      const headers: http.OutgoingHttpHeaders = { 'content-type': 'application/x-protobuf' };
      if (options.gzip === true) headers['content-encoding'] = 'gzip';
      if (options.chunked !== true) headers['content-length'] = payload.length;
      const request = http.request(
        this.#url,
        { method: 'POST', agent: this.#agent, headers },
        (response) => {
          const pieces: Buffer[] = [];
          response.on('data', (piece: Buffer) => pieces.push(piece));
          response.on('end', () => {
            clearTimeout(patience);
            resolve(readAnswer(response, Buffer.concat(pieces)));
          });
          response.on('error', (error) => resolve(lost(error)));
        },
      );
      const patience =
        options.patienceMs === undefined
          ? undefined
          : setTimeout(() => request.destroy(new Error('out of patience')), options.patienceMs);
      // The answer to a refused request may come before its body was sent: the first event counts.
      request.on('error', (error) => {
        clearTimeout(patience);
        resolve(lost(error));
      });
      if (options.chunked === true) writeChunks(request, payload);
      else request.end(payload);
    });
  }

  /** Closes all connections. */
  close(): void {
    this.#agent.destroy();
  }
}

function writeChunks(request: http.ClientRequest, payload: Uint8Array): void {
  for (let at = 0; at < payload.length; at += CHUNK_BYTES) {
    request.write(payload.subarray(at, at + CHUNK_BYTES));
  }
  request.end();
}

function readAnswer(response: http.IncomingMessage, body: Buffer): SendOutcome {
  const status = response.statusCode ?? 0;
  if (status === 200) {
    try {
      return decodeExportResponse(body);
    } catch (error) {
      return { kind: 'failed', reason: `HTTP 200 with ${String(error)}` };
    }
  }
  const reason = `HTTP ${status}`;
  if (!RETRYABLE.has(status)) {
    return { kind: 'failed', reason: `${reason} ${body.toString('latin1').slice(0, 200)}` };
  }
  return { kind: 'retry', reason, retryAfterMs: parseRetryAfter(response.headers['retry-after']) };
}

function lost(error: Error): SendOutcome {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  return { kind: 'retry', reason: code, retryAfterMs: undefined };
}
