// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import {
  decodeExportResponse,
  type SendOutcome,
} from '../../server/src/cli/tracegen/otlp-answer.ts';
import { lost, type FloodTransport, type WireForm, type WireRequest } from './flood-transport.ts';

const CHUNK_BYTES = 16 << 10;
const HEAD_END = '\r\n\r\n';

/** The server closes connections on which nothing has ever come after ten seconds; one half as old is not begun with. */
const FRESH_MS = 5000;

/** OTLP/HTTP over plain sockets that are kept open. */
export class FloodHttp implements FloodTransport {
  readonly #url: URL;
  readonly #connections: number;
  #idle: HttpConnection[] = [];

  /** @param baseUrl without a path */
  constructor(baseUrl: string, connections: number) {
    this.#url = new URL(baseUrl);
    this.#connections = connections;
  }

  prepare(body: Buffer, { gzip, chunked }: WireForm): WireRequest {
    const payload = gzip ? gzipSync(body, { level: 1 }) : body;
    const head = [
      'POST /v1/traces HTTP/1.1',
      `host: ${this.#url.host}`,
      'content-type: application/x-protobuf',
      ...(gzip ? ['content-encoding: gzip'] : []),
      chunked ? 'transfer-encoding: chunked' : `content-length: ${payload.length}`,
    ];
    const pieces: Buffer[] = [Buffer.from(head.join('\r\n') + HEAD_END, 'latin1')];
    if (!chunked) pieces.push(payload);
    else {
      for (let at = 0; at < payload.length; at += CHUNK_BYTES) {
        const chunk = payload.subarray(at, at + CHUNK_BYTES);
        pieces.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
      }
      pieces.push(Buffer.from('0\r\n\r\n'));
    }
    return { isCompressed: gzip, bytes: Buffer.concat(pieces) };
  }

  async connect(): Promise<void> {
    // The server closes those on which nothing came for a while.
    this.#idle = this.#idle.filter(({ isOpen }) => isOpen);
    while (this.#idle.length < this.#connections) {
      const connection = this.#newConnection();
      await connection.opened;
      this.#idle.push(connection);
    }
  }

  async send(request: WireRequest): Promise<SendOutcome> {
    // The one that rested longest: the server closes those on which nothing ever comes.
    let connection = this.#idle.shift();
    while (connection?.isUsable === false) {
      connection.end();
      connection = this.#idle.shift();
    }
    connection ??= this.#newConnection();
    const outcome = await connection.send(request.bytes);
    if (connection.isOpen) this.#idle.push(connection);
    return outcome;
  }

  #newConnection(): HttpConnection {
    return new HttpConnection(this.#url.hostname, Number(this.#url.port));
  }
}

/** One connection with one request at a time. */
class HttpConnection {
  readonly opened: Promise<unknown>;
  readonly #socket: Socket;
  readonly #madeMs = performance.now();
  #isUsed = false;
  #answer = '';
  #done: ((outcome: SendOutcome) => void) | undefined;

  constructor(host: string, port: number) {
    this.#socket = connect({ host, port, noDelay: true });
    this.opened = once(this.#socket, 'connect');
    // Where nobody waits for it, a connection that fails is told by the outcome of its request.
    this.opened.catch(() => undefined);
    // Answers are short, and what is not ASCII in a protobuf body survives as latin1.
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#onData(text));
    this.#socket.on('error', (error) => this.#settle(lost(error)));
    this.#socket.on('close', () => this.#settle(lost(new Error('connection closed'))));
  }

  get isOpen(): boolean {
    return this.#socket.writable;
  }

  /** Whether a request may be sent without the server closing the connection at the same time. */
  get isUsable(): boolean {
    return this.isOpen && (this.#isUsed || performance.now() - this.#madeMs < FRESH_MS);
  }

  end(): void {
    this.#socket.end();
  }

  send(bytes: Buffer): Promise<SendOutcome> {
    this.#isUsed = true;
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#answer = '';
      this.#socket.write(bytes);
    });
  }

  #onData(text: string): void {
    this.#answer += text;
    const headEnd = this.#answer.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#answer.slice(0, headEnd).toLowerCase();
    const body = this.#answer.slice(headEnd + HEAD_END.length);
    if (body.length < Number(headerOf(head, 'content-length') ?? 0)) return;
    // A connection that the server closes is of no use, even before it is closed.
    if (headerOf(head, 'connection') === 'close') this.#socket.end();
    this.#settle(readAnswer(head, body));
  }

  #settle(outcome: SendOutcome): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(outcome);
  }
}

/** @param head status line and headers in lower case */
function readAnswer(head: string, body: string): SendOutcome {
  const status = head.slice(9, 12);
  if (status === '200') return decodeExportResponse(Buffer.from(body, 'latin1'));
  const seconds = headerOf(head, 'retry-after');
  if (status === '429' || status === '503') {
    const retryAfterMs = seconds === undefined ? undefined : Number(seconds) * 1000;
    return { kind: 'retry', reason: `HTTP ${status}`, retryAfterMs };
  }
  return { kind: 'failed', reason: `HTTP ${status} ${body.slice(0, 200)}` };
}

function headerOf(head: string, name: string): string | undefined {
  const start = head.indexOf(`\r\n${name}:`);
  if (start < 0) return undefined;
  const end = head.indexOf('\r\n', start + 2);
  return head.slice(start + name.length + 3, end < 0 ? undefined : end).trim();
}
