// SPDX-License-Identifier: Apache-2.0
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { createServer, type Socket } from 'node:net';
import { Server, ServerCredentials, setLogger, type ConnectionInjector } from '@grpc/grpc-js';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { GrpcAdmission } from './grpc-admission.ts';
import type { GrpcBodyMethod } from './grpc-call.ts';
import { GrpcHealth } from './grpc-health.ts';
import {
  ListeningSocket,
  type BoundAddress,
  type GrpcPort,
  type ListeningSettings,
} from './listening-socket.ts';
import { LogThrottle, type Logger } from './logger.ts';
import type { ServerTls } from './tls/server-tls.ts';

/** Where a gRPC server listens, and what bounds its connections and calls. */
export interface GrpcListenerSettings extends ListeningSettings {
  /** Largest message, both before and after decompression, in bytes. */
  readonly bodyCapBytes: number;
  /** Calls running at the same time on one connection. */
  readonly maxConcurrentStreams: number;
  /** Time for a new connection to say that it speaks HTTP/2, and for a TLS handshake before that, in ms. */
  readonly handshakeTimeoutMs: number;
  /** Longest pause while a message comes, in ms. */
  readonly bodyIdleTimeoutMs: number;
  /** Time for a whole message to come, in ms. */
  readonly requestTimeoutMs: number;
  /** Pause after which a connection is pinged, in ms. */
  readonly keepaliveTimeMs: number;
  /** Time for the answer to a ping before the connection is closed, in ms. */
  readonly keepaliveTimeoutMs: number;
  /** A connection without calls for this long is closed, in ms. */
  readonly maxConnectionIdleMs: number;
  /**
   * Age at which a connection is closed in good order, give or take a tenth, in ms, so that
   * clients behind a TCP load balancer spread anew; undefined: never.
   */
  readonly maxConnectionAgeMs: number | undefined;
  /** Time for running calls after that, in ms. */
  readonly maxConnectionAgeGraceMs: number;
}

/** What this file uses of grpc-js's server, which doesn't declare it. */
interface RawServer {
  /** Those that speak HTTP/2 for it: one, for the sockets that it is given. */
  readonly http2Servers: ReadonlyMap<Http2Server, unknown>;
  /** Counts a stream, so that its connection is not idle. */
  onStreamOpened(stream: ServerHttp2Stream): void;
}

function isRawServer(server: object): server is RawServer {
  return (
    'http2Servers' in server &&
    server.http2Servers instanceof Map &&
    'onStreamOpened' in server &&
    typeof server.onStreamOpened === 'function'
  );
}

type OnStream = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  ...rest: unknown[]
) => void;

const HTTP2_PREFACE_BYTES = 24;
/** NGHTTP2_ERR_BAD_CLIENT_MAGIC: a connection did not begin with that preface. */
const BAD_CLIENT_MAGIC = -903;
const LOG_INTERVAL_MS = 10_000;
/** Text that grpc-js logs may quote a client. */
const MAX_LOGGED_LENGTH = 200;

/**
 * A gRPC server for methods that take bodies, with health service, admission before buffering, bounded connections, and a
 * shutdown that lets running calls finish.
 *
 * Calls of body methods go from Node's HTTP/2 to their handlers: by way of grpc-js each would cost twice as much, a refused
 * one too. Connections, health and all other calls are grpc-js's.
 *
 * The sockets are its own: grpc-js bounds neither their number nor the time until the first byte,
 * and without channelz its forced shutdown leaves them open.
 */
export class GrpcListener {
  readonly #name: string;
  readonly #settings: GrpcListenerSettings;
  readonly #logger: Logger;
  readonly #throttle = new LogThrottle(LOG_INTERVAL_MS);
  readonly #sockets = new Set<Socket>();
  readonly #methods: ReadonlyMap<unknown, GrpcBodyMethod>;
  readonly #health: GrpcHealth;
  readonly #socket: GrpcPort;
  #admission: GrpcAdmission | undefined;
  #grpc: Server | undefined;
  #injector: ConnectionInjector | undefined;

  /**
   * @param name how the log and errors call it, such as `receivers.otlp.protocols.grpc`
   * @param port that it shares; by default it has its own
   */
  constructor(
    name: string,
    settings: GrpcListenerSettings,
    methods: readonly GrpcBodyMethod[],
    logger: Logger,
    port?: GrpcPort,
  ) {
    this.#name = name;
    this.#settings = settings;
    this.#methods = new Map(methods.map((method) => [method.path, method]));
    this.#logger = logger;
    this.#health = new GrpcHealth(methods.map(({ service }) => service));
    const { handshakeTimeoutMs } = settings;
    this.#socket =
      port ??
      new ListeningSocket({ name, protocols: ['h2'], handshakeTimeoutMs }, settings, logger);
  }

  /** Connections open now, and those dropped because there were too many. */
  get connections(): { readonly open: number; readonly dropped: number } {
    return { open: this.#sockets.size, dropped: this.#socket.dropped };
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
    return this.#socket.start(() => {
      this.#serve();
      return createServer({ noDelay: true }, (socket) => this.#onConnection(socket));
    });
  }

  /**
   * Reports NOT_SERVING, stops accepting, lets running calls finish; what still runs at the
   * deadline is cut. Safe before start and more than once.
   */
  async shutdown(deadlineMs: number): Promise<void> {
    this.#health.shutdown();
    await this.#socket.shutdown(deadlineMs, {
      finish: () => {
        this.#admission?.drain();
        // Tells clients to go elsewhere, and closes each connection after its last call. It calls back
        // too early, so what counts is the end of the connections.
        this.#grpc?.tryShutdown(() => undefined);
      },
      cut: () => {
        for (const socket of this.#sockets) socket.destroy();
      },
    });
    this.#grpc?.forceShutdown();
    this.#admission?.shutdown();
  }

  #serve(): void {
    const settings = this.#settings;
    // grpc-js has one log for the process, by default standard error: each metadata key that it
    // doesn't like becomes a line with all that the client sent.
    const log = (text: unknown): void => {
      this.#throttle.log((suppressed) => {
        const detail = String(text).slice(0, MAX_LOGGED_LENGTH);
        this.#logger.warn({ detail, suppressed }, `${this.#name}: grpc-js`);
      });
    };
    setLogger({ error: log, info: log, debug: log });
    const admission = new GrpcAdmission({
      capBytes: settings.bodyCapBytes,
      idleTimeoutMs: settings.bodyIdleTimeoutMs,
      requestTimeoutMs: settings.requestTimeoutMs,
    });
    const grpc = new Server({
      interceptors: [admission.interceptor],
      'grpc.enable_channelz': 0,
      'grpc.max_receive_message_length': settings.bodyCapBytes,
      'grpc.max_concurrent_streams': settings.maxConcurrentStreams,
      'grpc.keepalive_time_ms': settings.keepaliveTimeMs,
      'grpc.keepalive_timeout_ms': settings.keepaliveTimeoutMs,
      'grpc.max_connection_idle_ms': settings.maxConnectionIdleMs,
      'grpc.max_connection_age_grace_ms': settings.maxConnectionAgeGraceMs,
      ...(settings.maxConnectionAgeMs === undefined
        ? {}
        : { 'grpc.max_connection_age_ms': settings.maxConnectionAgeMs }),
    });
    this.#health.addTo(grpc);
    this.#injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
    this.#takeBodyCalls(grpc, admission);
    this.#admission = admission;
    this.#grpc = grpc;
  }

  /** Takes the calls of body methods before grpc-js sees them. */
  #takeBodyCalls(grpc: Server, admission: GrpcAdmission): void {
    const raw: object = grpc;
    const [http2] = isRawServer(raw) ? raw.http2Servers.keys() : [];
    const [onStream] = http2?.listeners('stream') ?? [];
    if (!isRawServer(raw) || http2 === undefined || onStream === undefined) {
      throw new SpoorError('internal', 'this version of grpc-js hides its HTTP/2 server');
    }
    http2.on('sessionError', (error: NodeJS.ErrnoException) => this.#onSessionError(error));
    http2.removeAllListeners('stream');
    // That of an HTTP/2 server is one.
    const others = onStream as OnStream;
    http2.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...rest) => {
      const method = this.#methods.get(headers[':path']);
      if (
        method === undefined ||
        headers['content-type']?.startsWith('application/grpc') !== true
      ) {
        others(stream, headers, ...rest);
        return;
      }
      raw.onStreamOpened(stream);
      admission.open(method, stream, headers);
    });
  }

  /** Says what is wrong when what came is not HTTP/2; all else that ends a connection is between it and its client. */
  #onSessionError(error: NodeJS.ErrnoException): void {
    if (error.errno !== BAD_CLIENT_MAGIC) return;
    const hint =
      this.tls === undefined ? 'TLS or HTTP/1.1 on a port that speaks plain gRPC' : 'HTTP/1.1';
    this.#throttle.log((suppressed) =>
      this.#logger.warn({ suppressed }, `${this.#name}: what came is not HTTP/2, perhaps ${hint}`),
    );
  }

  #onConnection(socket: Socket): void {
    this.#sockets.add(socket);
    const handshake = setTimeout(() => {
      if (socket.bytesRead < HTTP2_PREFACE_BYTES) socket.destroy();
    }, this.#settings.handshakeTimeoutMs);
    handshake.unref();
    socket.on('close', () => {
      clearTimeout(handshake);
      this.#sockets.delete(socket);
    });
    this.#injector?.injectConnection(socket);
  }
}
