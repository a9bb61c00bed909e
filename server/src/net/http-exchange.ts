// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DRAIN_BYTES, drainBody } from './drain-body.ts';
import type { Refusal } from './refusal.ts';
import { encodeRpcStatus, formatRpcStatus } from './rpc-status.ts';
import { rpcStatusOf } from './refusal.ts';
import { skipBody } from './skipped-body.ts';

/** Content type of a google.rpc.Status body. */
export type StatusFormat = 'application/x-protobuf' | 'application/json';

/** A larger body is dropped for this long at most before the connection is closed. */
const LINGER_MS = 1000;

/** Bodies of refusals that were answered, by the refusal: the same one is given again and again under overload. */
const REFUSAL_BODIES: Readonly<Record<StatusFormat, WeakMap<Refusal, string>>> = {
  'application/x-protobuf': new WeakMap(),
  'application/json': new WeakMap(),
};

/** One request and its answer on an HTTP/1.1 connection. */
export class HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Length of the body in bytes; undefined when it comes in chunks of unknown number. */
  readonly declaredBytes: number | undefined;
  /** Called when the body can't be read to its end: too slow, or no HTTP. Set while it is read. */
  onBroken: ((refusal: Refusal) => void) | undefined;
  /** Whether the connection closes after the answer. */
  closing = false;
  /** Whether nothing more of the request can come, so that an answer needs not wait for it. */
  broken = false;
  #endSkipping: (() => void) | undefined;
  // Whether the client waits for `100 Continue` before it sends the body.
  #awaitsContinue: boolean;

  constructor(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean) {
    this.request = request;
    this.response = response;
    this.#awaitsContinue = expectsContinue;
    const { headers } = request;
    this.declaredBytes =
      headers['transfer-encoding'] === undefined
        ? Number(headers['content-length'] ?? 0)
        : undefined;
  }

  /** Whether the connection was closed before the answer. */
  get isGone(): boolean {
    return this.response.destroyed && !this.response.writableEnded;
  }

  /** Has `then` called when the connection is closed before the answer. */
  whenGone(then: () => void): void {
    this.response.on('close', () => {
      if (this.isGone) then();
    });
  }

  /** Lets a client that waits for it send the body. */
  acceptBody(): void {
    if (!this.#awaitsContinue) return;
    this.#awaitsContinue = false;
    this.response.writeContinue();
  }

  /**
   * Sends the whole answer. What has not come of the body yet is dropped: up to 1 MiB with the
   * connection kept, otherwise the connection is closed after the answer. A body without a length
   * is given the benefit of the doubt, as reconnecting costs both sides more.
   * @param headers name and value in turn, without Content-Length
   */
  answer(status: number, headers: string[], body: Buffer | string): void {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    this.#send(status, headers, bytes.toString('latin1'));
  }

  /** @param body a character for each byte: Node writes head and body as one then */
  #send(status: number, headers: string[], body: string): void {
    const { request, response } = this;
    if (response.headersSent || response.destroyed) return;
    headers.push('content-length', String(body.length));
    if (this.closing) headers.push('connection', 'close');
    if (request.complete || this.declaredBytes === 0) {
      response.writeHead(status, headers).end(body, 'latin1');
      return;
    }
    if (!this.#awaitsContinue && (this.declaredBytes ?? 0) <= DRAIN_BYTES) {
      response.writeHead(status, headers).end(body, 'latin1');
      if (this.declaredBytes === undefined) drainBody(request, () => request.socket.destroySoon());
      else this.#endSkipping = skipBody(request.socket);
      return;
    }
    // A client that gets the answer instead of `100 Continue` may send the body or not, and one
    // can't tell which: only closing is safe. The answer goes out at once; ending the response
    // would cut the connection under a client that still sends, before it has read the answer.
    if (!this.closing) headers.push('connection', 'close');
    response.writeHead(status, headers);
    if (this.broken) {
      response.end(body, 'latin1');
    } else {
      response.write(body, 'latin1');
      this.#drainThenClose();
    }
  }

  /** To be called when the next request begins or the connection ends. */
  end(): void {
    this.#endSkipping?.();
    this.#endSkipping = undefined;
  }

  /** Sends a google.rpc.Status as the answer. */
  refuse(refusal: Refusal, format: StatusFormat, headers: readonly string[] = []): void {
    const sent = [...headers, 'content-type', format];
    if (refusal.retryAfterMs !== undefined) {
      sent.push('retry-after', String(Math.max(1, Math.ceil(refusal.retryAfterMs / 1000))));
    }
    let body = REFUSAL_BODIES[format].get(refusal);
    if (body === undefined) {
      const status = rpcStatusOf(refusal);
      const bytes =
        format === 'application/json'
          ? Buffer.from(formatRpcStatus(status))
          : encodeRpcStatus(status);
      body = bytes.toString('latin1');
      REFUSAL_BODIES[format].set(refusal, body);
    }
    this.#send(refusal.httpStatus, sent, body);
  }

  #drainThenClose(): void {
    const { request, response } = this;
    const close = (): void => {
      clearTimeout(timer);
      response.end();
    };
    const timer = setTimeout(close, LINGER_MS);
    request.on('end', close);
    response.on('close', close);
    drainBody(request, close);
  }
}
