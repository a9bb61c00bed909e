// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { SpoorError, quote } from '@spoor/core/model/errors.ts';
import { HttpExchange } from './http-exchange.ts';
import { LogThrottle, type Logger } from './logger.ts';
import { makeRefusal, rpcStatusOf, type Refusal } from './refusal.ts';
import { formatRpcStatus } from './rpc-status.ts';

/** Where a server listens, and what bounds its connections. */
export interface HttpListenerSettings {
  /** Name or address to bind to. */
  readonly host: string;
  /** 0 to 65535; 0 is any free port. */
  readonly port: number;
  /** Connections open at the same time; more are closed at once. */
  readonly maxConnections: number;
  /** Largest block of request line and headers, in bytes. */
  readonly maxHeaderBytes: number;
  /** Time for a request's headers to come, also the first ones on a new connection, in ms. */
  readonly headersTimeoutMs: number;
  /** Longest pause while a body comes, in ms. */
  readonly bodyIdleTimeoutMs: number;
  /** Time for a whole request to come, in ms. */
  readonly requestTimeoutMs: number;
  /** How long a connection may wait for its next request, in ms. */
  readonly keepAliveTimeoutMs: number;
}

/** Address that a server is bound to. */
export interface BoundAddress {
  readonly host: string;
  readonly port: number;
}

/** Takes requests; it answers every one through the exchange and never throws. */
export type HttpHandler = (exchange: HttpExchange) => void;

interface Connection {
  /** Requests that are not answered yet. */
  active: number;
  /** The newest request. */
  exchange: HttpExchange | undefined;
}

/**
 * Connections that wait to be accepted: Node takes one in each turn of the event loop, and a client that finds no place
 * here comes back after seconds only.
 */
export const CONNECTION_BACKLOG = 4096;

const BAD_HTTP_LOG_INTERVAL_MS = 10_000;

/**
 * A node:http server for requests with bodies: it bounds connections, headers and times, answers
 * what is no HTTP, and shuts down without cutting a running request.
 */
export class HttpListener {
  readonly #name: string;
  readonly #settings: HttpListenerSettings;
  readonly #handler: HttpHandler;
  readonly #onBadRequest: (refusal: Refusal) => void;
  readonly #logger: Logger;
  readonly #throttle = new LogThrottle(BAD_HTTP_LOG_INTERVAL_MS);
  readonly #connections = new Map<Socket, Connection>();
  #server: Server | undefined;
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #draining = false;
  #droppedConnections = 0;

  /**
   * @param name how the log and errors call it, such as `receivers.otlp.protocols.http`
   * @param onBadRequest told about requests that never came to the handler
   */
  constructor(
    name: string,
    settings: HttpListenerSettings,
    handler: HttpHandler,
    onBadRequest: (refusal: Refusal) => void,
    logger: Logger,
  ) {
    this.#name = name;
    this.#settings = settings;
    this.#handler = handler;
    this.#onBadRequest = onBadRequest;
    this.#logger = logger;
  }

  /** Whether {@link shutdown} has begun: answers should close their connections. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Connections open now, and those dropped because there were too many. */
  get connections(): { readonly open: number; readonly dropped: number } {
    return { open: this.#connections.size, dropped: this.#droppedConnections };
  }

  /** Where the server is bound, or undefined while it isn't. */
  get address(): BoundAddress | undefined {
    const address = this.#server?.address();
    // node:http gives a string for pipes only, and this server binds none.
    const bound = address as AddressInfo | null | undefined;
    return bound ? { host: bound.address, port: bound.port } : undefined;
  }

  /**
   * Binds. Resolves once connections are accepted.
   * @throws {SpoorError} config: the address can't be bound
   */
  start(): Promise<void> {
    if (this.#stopped !== undefined) {
      return Promise.reject(new SpoorError('unavailable', `${this.#name}: already shut down`));
    }
    this.#started ??= this.#bind();
    return this.#started;
  }

  /**
   * Stops accepting, lets running requests finish, closes idle connections; what still runs at
   * the deadline is cut. Safe before start and more than once.
   */
  shutdown(deadlineMs: number): Promise<void> {
    this.#draining = true;
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  #bind(): Promise<void> {
    const { host, port, bodyIdleTimeoutMs, maxConnections, ...settings } = this.#settings;
    const shortest = Math.min(settings.headersTimeoutMs, settings.requestTimeoutMs);
    const server = createServer({
      maxHeaderSize: settings.maxHeaderBytes,
      headersTimeout: settings.headersTimeoutMs,
      requestTimeout: settings.requestTimeoutMs,
      keepAliveTimeout: settings.keepAliveTimeoutMs,
      // The timeouts above are looked at this often.
      connectionsCheckingInterval: Math.max(10, Math.ceil(shortest / 4)),
      noDelay: true,
    });
    server.maxConnections = maxConnections;
    server.timeout = bodyIdleTimeoutMs;
    server.on('connection', (socket) => this.#onConnection(socket));
    server.on('drop', () => this.#droppedConnections++);
    server.on('request', (request, response) => this.#onRequest(request, response, false));
    server.on('checkContinue', (request, response) => this.#onRequest(request, response, true));
    server.on('checkExpectation', (request, response) => this.#onExpectation(request, response));
    server.on('clientError', (error, socket) => {
      // The sockets of an HTTP server are those of net.
      this.#onClientError(error, socket as Socket);
    });
    this.#server = server;
    return new Promise((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException): void => {
        this.#server = undefined;
        const why = error.code ?? error.message;
        reject(
          new SpoorError('config', `${this.#name}: cannot listen on ${host}:${port}: ${why}`, {
            cause: error,
          }),
        );
      };
      server.once('error', onError);
      server.listen({ host, port, backlog: CONNECTION_BACKLOG }, () => {
        server.off('error', onError);
        // Such as no file descriptors left: connections wait in the backlog, the server lives on.
        server.on('error', (error) => {
          this.#throttle.log((suppressed) =>
            this.#logger.error(
              { error: error.message, suppressed },
              `${this.#name}: cannot accept`,
            ),
          );
        });
        resolve();
      });
    });
  }

  async #stop(deadlineMs: number): Promise<void> {
    // A bind that failed was told to whoever started.
    await this.#started?.catch(() => undefined);
    const server = this.#server;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    for (const [socket, connection] of this.#connections) {
      if (connection.active === 0) socket.destroy();
    }
    const timer = setTimeout(() => server.closeAllConnections(), deadlineMs);
    await closed;
    clearTimeout(timer);
  }

  #onConnection(socket: Socket): void {
    this.#connections.set(socket, { active: 0, exchange: undefined });
    socket.on('close', () => this.#connections.delete(socket));
  }

  #onRequest(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const connection = this.#connections.get(request.socket);
    const exchange = new HttpExchange(request, response, expectsContinue);
    if (connection !== undefined) {
      connection.active++;
      connection.exchange = exchange;
      response.on('close', () => {
        connection.active--;
      });
    }
    response.on('timeout', this.#onIdle);
    this.#handler(exchange);
  }

  // Nothing came or went for a while. That is right while a request waits for its answer.
  readonly #onIdle = (socket: Socket): void => {
    const exchange = this.#connections.get(socket)?.exchange;
    if (exchange === undefined || exchange.request.complete) return;
    const message = `request body stopped for ${this.#settings.bodyIdleTimeoutMs} ms`;
    exchange.broken = true;
    exchange.onBroken?.(makeRefusal('timeout', { http: 408, grpc: 4 }, message));
    socket.destroySoon();
  };

  #onExpectation(request: IncomingMessage, response: ServerResponse): void {
    const message = `expectation ${quote(request.headers.expect ?? '')} is not known, only 100-continue`;
    const refusal = makeRefusal('bad_http', { http: 417, grpc: 3 }, message);
    this.#onBadRequest(refusal);
    new HttpExchange(request, response, true).refuse(refusal, 'application/json');
  }

  // The parser gave up on a connection: what came is no HTTP, or too large, or too late.
  #onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
    const connection = this.#connections.get(socket);
    const exchange = connection?.exchange;
    const isMidBody = exchange !== undefined && !exchange.request.complete;
    const refusal = badHttpRefusal(error);
    if (
      refusal !== undefined &&
      isMidBody &&
      !exchange.response.writableEnded &&
      exchange.onBroken
    ) {
      exchange.broken = true;
      exchange.onBroken(refusal);
      // The parser is dead, so nothing else would close the connection.
      socket.destroySoon();
      return;
    }
    // The client has gone, or the request before this one is still to be answered or drained.
    if (refusal === undefined || !socket.writable || isMidBody || (connection?.active ?? 0) > 0) {
      socket.destroy();
      return;
    }
    this.#onBadRequest(refusal);
    this.#throttle.log((suppressed) =>
      this.#logger.warn({ reason: refusal.message, suppressed }, `${this.#name}: bad HTTP request`),
    );
    const body = formatRpcStatus(rpcStatusOf(refusal));
    socket.end(
      `HTTP/1.1 ${refusal.httpStatus} ${STATUS_TEXT[refusal.httpStatus] ?? 'Bad Request'}\r\n` +
        `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
        `connection: close\r\n\r\n${body}`,
    );
    socket.destroySoon();
  }
}

const STATUS_TEXT: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

// Undefined when the client has just gone.
function badHttpRefusal(error: NodeJS.ErrnoException): Refusal | undefined {
  switch (error.code) {
    case 'ECONNRESET':
    case 'EPIPE':
    case 'HPE_INVALID_EOF_STATE':
      return undefined;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return makeRefusal('timeout', { http: 408, grpc: 4 }, 'request did not come in time');
    case 'HPE_HEADER_OVERFLOW':
      return makeRefusal('bad_http', { http: 431, grpc: 3 }, 'request headers are too large');
    default: {
      const message = `not an HTTP/1.1 request: ${error.code ?? error.message}`;
      return makeRefusal('bad_http', { http: 400, grpc: 3 }, message);
    }
  }
}
