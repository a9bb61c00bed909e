// SPDX-License-Identifier: Apache-2.0
import type { Agent, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import { constants, gzip, zstdCompress } from 'node:zlib';
import { type ErrorCode, messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import {
  authorityOf,
  type ExportAnswer,
  type ExportRequest,
  type ServerAddress,
  type Transport,
} from '#exporters/sending/transport.ts';
import { http } from '#net/node-http.ts';
import { decodeRpcStatus } from '#net/rpc-status.ts';
import type { ClientTls } from '#net/tls/client-tls.ts';
import { readExportAnswer, refusedBy } from './export-answer.ts';

/** Where options of TLS connections come from; another object when they have changed. */
export type TlsSource = Pick<ClientTls, 'options'>;

/** Settings of an {@link HttpTransport}. */
export interface HttpTransportSettings {
  readonly headers: Readonly<Record<string, string>>;
  /** Header that hands on the tenant; undefined: none does. */
  readonly tenantHeader: string | undefined;
  readonly compression: 'gzip' | 'zstd' | 'none';
  /** For one try, from its start to the end of the answer, in ms. */
  readonly timeoutMs: number;
  /** Connections at most. */
  readonly maxConnections: number;
}

/** An answer says little; more is not read. */
const MAX_ANSWER_BYTES = 64 * 1024;

const gzipAsync = promisify(gzip);

/** On the thread pool. The fastest gzip took a third of the time of the usual one, and made bodies of spans a sixth larger. */
const COMPRESSIONS = {
  gzip: (body: Uint8Array) => gzipAsync(body, { level: constants.Z_BEST_SPEED }),
  zstd: promisify(zstdCompress),
} as const;

const CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [400, 'malformed'],
  [401, 'config'],
  [403, 'config'],
  [404, 'config'],
  [405, 'config'],
  [413, 'too_large'],
  [415, 'config'],
  [422, 'malformed'],
  // These four are all that may be sent again.
  [429, 'overloaded'],
  [502, 'unavailable'],
  [503, 'unavailable'],
  [504, 'unavailable'],
]);

interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * Sends OTLP over HTTP to one server.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export class HttpTransport implements Transport {
  readonly #settings: HttpTransportSettings;
  readonly #address: ServerAddress;
  readonly #name: string;
  readonly #tls: TlsSource | undefined;
  readonly #headers: OutgoingHttpHeaders;
  #agent: Agent;
  /** With which the connections of the agent are made. */
  #options: https.RequestOptions;

  /**
   * @param name how errors call the server
   * @param tls undefined: plain text
   */
  constructor(
    settings: HttpTransportSettings,
    address: ServerAddress,
    name: string,
    tls: TlsSource | undefined,
  ) {
    this.#settings = settings;
    this.#address = address;
    this.#name = name;
    this.#tls = tls;
    this.#options = tls?.options ?? {};
    this.#agent = this.#createAgent();
    const { compression } = settings;
    this.#headers = {
      'user-agent': 'Spoor',
      ...settings.headers,
      host: authorityOf(address),
      'content-type': 'application/x-protobuf',
      ...(compression === 'none' ? {} : { 'content-encoding': compression }),
    };
  }

  async send(request: ExportRequest, signal: AbortSignal): Promise<ExportAnswer> {
    const { compression, timeoutMs } = this.#settings;
    const body =
      compression === 'none' ? request.body : await COMPRESSIONS[compression](request.body);
    const ends = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    return this.#read(await this.#exchange(request, body, ends));
  }

  close(): void {
    retire(this.#agent);
  }

  #createAgent(): Agent {
    const options = { keepAlive: true, maxSockets: this.#settings.maxConnections };
    return this.#tls === undefined ? new http.Agent(options) : new https.Agent(options);
  }

  /** New connections are made with the certificates of now. */
  #refreshTls(): void {
    if (this.#tls === undefined || this.#tls.options === this.#options) return;
    this.#options = this.#tls.options;
    retire(this.#agent);
    this.#agent = this.#createAgent();
  }

  async #exchange(
    { tenant }: ExportRequest,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { tenantHeader, timeoutMs } = this.#settings;
    const headers = {
      ...this.#headers,
      'content-length': body.length,
      ...(tenantHeader === undefined ? {} : { [tenantHeader]: tenant }),
    };
    for (;;) {
      let isReused = false;
      try {
        return await this.#once(headers, body, signal, (reused) => (isReused = reused));
      } catch (cause) {
        if (signal.aborted) {
          const what = isTimeout(signal) ? `no answer in ${timeoutMs} ms` : 'given up at the end';
          throw new SpoorError('unavailable', `${this.#name}: ${what}`, { cause });
        }
        // The server closed a connection that was idle just when it was used: nothing is wrong with a new one.
        if (isReused && isReset(cause)) continue;
        const why = messageOf(cause);
        throw new SpoorError('unavailable', `${this.#name}: ${why}`, { cause });
      }
    }
  }

  #once(
    headers: OutgoingHttpHeaders,
    body: Uint8Array,
    signal: AbortSignal,
    onReused: (reused: boolean) => void,
  ): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      this.#refreshTls();
      const { host, ip, port, path } = this.#address;
      const options: https.RequestOptions = {
        // The name that the certificate must have; an address is no name to be told.
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ...this.#options,
        host: ip,
        port,
        path,
        method: 'POST',
        agent: this.#agent,
        headers,
        signal,
      };
      const send = this.#tls === undefined ? http.request : https.request;
      const request = send(options, (response) => {
        const pieces: Buffer[] = [];
        let length = 0;
        response.on('data', (piece: Buffer) => {
          length += piece.length;
          if (length <= MAX_ANSWER_BYTES) pieces.push(piece);
          else response.destroy(new Error(`an answer of over ${MAX_ANSWER_BYTES} bytes`));
        });
        response.on('error', reject);
        response.on('end', () => {
          const { statusCode = 0, headers: got } = response;
          resolve({ status: statusCode, headers: got, body: Buffer.concat(pieces) });
        });
      });
      request.on('error', (error) => {
        onReused(request.reusedSocket);
        reject(error);
      });
      request.end(body);
    });
  }

  #read({ status, headers, body }: HttpAnswer): ExportAnswer {
    if (status >= 200 && status < 300) return readExportAnswer(body);
    const code = CODES.get(status) ?? 'internal';
    throw refusedBy(this.#name, code, {
      status: `HTTP ${status}`,
      message: statusMessage(headers['content-type'], body),
      retryAfterMs: parseRetryAfter(headers['retry-after']),
    });
  }
}

/** Lets requests end and closes connections then. */
function retire(agent: Agent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}

/** The text of an error answer. */
function statusMessage(contentType: string | undefined, body: Buffer): string {
  try {
    if (contentType?.startsWith('application/x-protobuf') === true) {
      return decodeRpcStatus(body).message;
    }
    if (contentType?.startsWith('application/json') === true) {
      const json: unknown = JSON.parse(body.toString());
      if (typeof json === 'object' && json !== null && 'message' in json) {
        return String(json.message);
      }
    }
  } catch {
    // It is shown as it is.
  }
  return body.toString().trim();
}

/**
 * Reads a Retry-After header: seconds or a date.
 * @returns ms from now, or undefined
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
function parseRetryAfter(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - Date.now());
}

function isTimeout({ reason }: AbortSignal): boolean {
  return reason instanceof Error && reason.name === 'TimeoutError';
}

function isReset(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ECONNRESET' || error.code === 'EPIPE')
  );
}
