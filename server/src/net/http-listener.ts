// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { GuestPort } from './guest-port.ts';
import { headProblem, type HeadProblem } from './head-problem.ts';
import { HttpExchange } from './http-exchange.ts';
import { ListeningSocket, type BoundAddress, type ListeningSettings } from './listening-socket.ts';
import { LogThrottle, type Logger } from './logger.ts';
import { http } from './node-http.ts';
import { makeRefusal, rpcStatusOf, type Refusal } from './refusal.ts';
import { formatRpcStatus } from './rpc-status.ts';
import { TLS_HANDSHAKE_BYTE } from './tls/plain-text.ts';
import type { ServerTls } from './tls/server-tls.ts';

/** Where a server listens, and what bounds its connections. */
export interface HttpListenerSettings extends ListeningSettings {
  /** Largest block of request line and headers, in bytes. */
  readonly maxHeaderBytes: number;
  /** Time for a request's headers to come, also the first ones on a new connection, and for a TLS handshake, in ms. */
  readonly headersTimeoutMs: number;
  /** Longest pause while a body comes, in ms. */
  readonly bodyIdleTimeoutMs: number;
  /** Time for a whole request to come, in ms. */
  readonly requestTimeoutMs: number;
  /** How long a connection may wait for its next request, in ms. */
  readonly keepAliveTimeoutMs: number;
}

/** Takes requests; it answers every one through the exchange and never throws. */
export type HttpHandler = (exchange: HttpExchange) => void;

interface Connection {
  /** Requests that are not answered yet. */
  active: number;
  /** The newest request. */
  exchange: HttpExchange | undefined;
}

const BAD_HTTP_LOG_INTERVAL_MS = 10_000;

/**
 * Requests on a connection that wait for their answers. Hardly any client sends a request before the last one is answered; but Node
 * takes 1,600 that come in one piece before it looks at another connection.
 */
const MAX_PIPELINED = 100;

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
  readonly #socket: ListeningSocket;
  readonly #guest: GuestPort | undefined;
  #server: Server | undefined;
  #draining = false;

  /**
   * @param name how the log and errors call it, such as `receivers.otlp.protocols.http`
   * @param onBadRequest told about requests that never came to the handler
   * @param guest that connections over HTTP/2 are for; without one they are refused
   */
  constructor(
    name: string,
    settings: HttpListenerSettings,
    handler: HttpHandler,
    onBadRequest: (refusal: Refusal) => void,
    logger: Logger,
    guest?: GuestPort,
  ) {
    this.#name = name;
    this.#settings = settings;
    this.#handler = handler;
    this.#onBadRequest = onBadRequest;
    this.#logger = logger;
    const handshakeTimeoutMs = settings.headersTimeoutMs;
    this.#guest = guest;
    // A client that offers both means HTTP/1.1: the guest speaks gRPC only.
    const protocols = guest === undefined ? ['http/1.1'] : ['http/1.1', 'h2'];
    this.#socket = new ListeningSocket({ name, protocols, handshakeTimeoutMs }, settings, logger);
  }

  /** Whether {@link shutdown} has begun: answers should close their connections. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Connections open now, and those dropped because there were too many. */
  get connections(): { readonly open: number; readonly dropped: number } {
    return { open: this.#connections.size, dropped: this.#socket.dropped };
  }

  /** Undefined where it speaks plain text. */
  get tls(): ServerTls | undefined {
    return this.#socket.tls;
  }

  /** Where the server is bound, or undefined while it isn't. */
  get address(): BoundAddress | undefined {
    return this.#socket.address;
  }

  /**
   * Binds. Resolves once connections are accepted.
   * @throws {SpoorError} config: the address can't be bound
   */
  start(): Promise<void> {
    return this.#socket.start(() => (this.#server = this.#create()));
  }

  /**
   * Stops accepting, lets running requests finish, closes idle connections; what still runs at
   * the deadline is cut. Safe before start and more than once.
   */
  shutdown(deadlineMs: number): Promise<void> {
    this.#draining = true;
    return this.#socket.shutdown(deadlineMs, {
      finish: () => {
        this.#guest?.endSilent();
        for (const [socket, connection] of this.#connections) {
          if (connection.active === 0) socket.destroy();
        }
      },
      cut: () => {
        this.#guest?.cut();
        this.#server?.closeAllConnections();
      },
    });
  }

  #create(): Server {
    const settings = this.#settings;
    const shortest = Math.min(settings.headersTimeoutMs, settings.requestTimeoutMs);
    const server = http.createServer({
      maxHeaderSize: settings.maxHeaderBytes,
      headersTimeout: settings.headersTimeoutMs,
      requestTimeout: settings.requestTimeoutMs,
      keepAliveTimeout: settings.keepAliveTimeoutMs,
      // The timeouts above are looked at this often.
      connectionsCheckingInterval: Math.max(10, Math.ceil(shortest / 4)),
      noDelay: true,
      // It would be refused with nothing in the answer.
      requireHostHeader: false,
    });
    server.timeout = settings.bodyIdleTimeoutMs;
    server.on('connection', (socket) => this.#onConnection(socket));
    server.on('request', (request, response) => this.#onRequest(request, response, false));
    server.on('checkContinue', (request, response) => this.#onRequest(request, response, true));
    server.on('checkExpectation', (request, response) => this.#onRequest(request, response, true));
    server.on('clientError', (error, socket) => {
      // The sockets of an HTTP server are those of net.
      this.#onClientError(error, socket as Socket);
    });
    this.#guest?.share(server, settings.headersTimeoutMs);
    return server;
  }

  #onConnection(socket: Socket): void {
    const connection: Connection = { active: 0, exchange: undefined };
    this.#connections.set(socket, connection);
    socket.prependListener('close', () => {
      connection.exchange?.end();
      this.#connections.delete(socket);
    });
  }

  #onRequest(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const connection = this.#connections.get(request.socket);
    const exchange = new HttpExchange(request, response, expectsContinue);
    if (connection !== undefined) {
      if (connection.active >= MAX_PIPELINED) {
        this.#refusePipelined(request.socket);
        return;
      }
      connection.active++;
      connection.exchange?.end();
      connection.exchange = exchange;
      response.on('close', () => {
        connection.active--;
      });
    }
    response.on('timeout', (socket) => this.#onIdle(socket, response));
    const problem = headProblem(request);
    if (problem === undefined) this.#handler(exchange);
    else this.#refuseHead(exchange, problem);
  }

  #refusePipelined(socket: Socket): void {
    if (socket.destroyed) return;
    const message = `more than ${MAX_PIPELINED} requests on a connection before an answer`;
    this.#onBadRequest(makeRefusal('bad_http', { http: 400, grpc: 3 }, message));
    socket.destroy();
  }

  // Nothing came or went for a while. That is right while a request waits for its answer.
  #onIdle(socket: Socket, response: ServerResponse): void {
    if (response.writableEnded) {
      // The answer is not taken.
      socket.destroy();
      return;
    }
    const exchange = this.#connections.get(socket)?.exchange;
    if (exchange === undefined || exchange.request.complete) return;
    const message = `request body stopped for ${this.#settings.bodyIdleTimeoutMs} ms`;
    exchange.broken = true;
    exchange.onBroken?.(makeRefusal('timeout', { http: 408, grpc: 4 }, message));
    socket.destroySoon();
  }

  #refuseHead(exchange: HttpExchange, { status, message }: HeadProblem): void {
    const refusal = makeRefusal('bad_http', { http: status, grpc: 3 }, message);
    this.#onBadRequest(refusal);
    exchange.closing = this.#draining;
    exchange.refuse(refusal, 'application/json');
  }

  // The parser gave up on a connection: what came is no HTTP, or too large, or too late.
  #onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
    const connection = this.#connections.get(socket);
    const exchange = connection?.exchange;
    const isMidBody = exchange !== undefined && !exchange.request.complete;
    // On a connection where nothing came: an answer would meet a request that waits unread while the loop is slow, and senders
    // do not try again after 408.
    const isUnused = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0;
    const refusal = isUnused ? undefined : badHttpRefusal(error);
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
      // The parser's errors have it, which their type does not.
      const { rawPacket } = error as { rawPacket?: Buffer };
      const message =
        rawPacket?.[0] === TLS_HANDSHAKE_BYTE
          ? 'TLS on a port that speaks plain text'
          : `not an HTTP/1.1 request: ${error.code ?? error.message}`;
      return makeRefusal('bad_http', { http: 400, grpc: 3 }, message);
    }
  }
}
