// SPDX-License-Identifier: Apache-2.0
import { createServer, type Socket } from 'node:net';
import {
  Server,
  ServerCredentials,
  setLogger,
  type ConnectionInjector,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { GrpcAdmission, type GrpcAdmissionLimits, type RefusedCall } from './grpc-admission.ts';
import { GrpcHealth } from './grpc-health.ts';
import { ListeningSocket, type BoundAddress, type ListeningSettings } from './listening-socket.ts';
import { LogThrottle, type Logger } from './logger.ts';

/** Where a gRPC server listens, and what bounds its connections and calls. */
export interface GrpcListenerSettings extends ListeningSettings {
  /** Largest message, both before and after decompression, in bytes. */
  readonly bodyCapBytes: number;
  /** Calls running at the same time on one connection. */
  readonly maxConcurrentStreams: number;
  /** Time for a new connection to say that it speaks HTTP/2, in ms. */
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

/** A service and its handlers. */
export interface GrpcService {
  readonly name: string;
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
  /** Paths of its methods whose handlers take a `GrpcMessage`. */
  readonly bodyMethods: readonly string[];
}

const HTTP2_PREFACE_BYTES = 24;
const LOG_INTERVAL_MS = 10_000;
/** Text that grpc-js logs may quote a client. */
const MAX_LOGGED_LENGTH = 200;

/**
 * A grpc-js server with health service, admission before buffering, bounded connections, and a
 * shutdown that lets running calls finish.
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
  readonly #services: readonly GrpcService[];
  readonly #budgetOf: GrpcAdmissionLimits['budgetOf'];
  readonly #onRefused: RefusedCall;
  readonly #health: GrpcHealth;
  readonly #socket: ListeningSocket;
  #admission: GrpcAdmission | undefined;
  #grpc: Server | undefined;
  #injector: ConnectionInjector | undefined;

  /**
   * @param name how the log and errors call it, such as `receivers.otlp.protocols.grpc`
   * @param onRefused told about calls of body methods that never came to their handler
   */
  constructor(
    name: string,
    settings: GrpcListenerSettings,
    services: readonly GrpcService[],
    budgetOf: GrpcAdmissionLimits['budgetOf'],
    onRefused: RefusedCall,
    logger: Logger,
  ) {
    this.#name = name;
    this.#settings = settings;
    this.#services = services;
    this.#budgetOf = budgetOf;
    this.#onRefused = onRefused;
    this.#logger = logger;
    this.#health = new GrpcHealth(services.map((service) => service.name));
    this.#socket = new ListeningSocket(name, settings, logger);
  }

  /** Connections open now, and those dropped because there were too many. */
  get connections(): { readonly open: number; readonly dropped: number } {
    return { open: this.#sockets.size, dropped: this.#socket.dropped };
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
    this.#admission = new GrpcAdmission(
      {
        budgetOf: this.#budgetOf,
        capBytes: settings.bodyCapBytes,
        bodyMethods: new Set(this.#services.flatMap((service) => service.bodyMethods)),
        idleTimeoutMs: settings.bodyIdleTimeoutMs,
        requestTimeoutMs: settings.requestTimeoutMs,
      },
      this.#onRefused,
    );
    this.#grpc = new Server({
      interceptors: [this.#admission.interceptor],
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
    this.#health.addTo(this.#grpc);
    for (const { definition, implementation } of this.#services) {
      this.#grpc.addService(definition, implementation);
    }
    this.#injector = this.#grpc.createConnectionInjector(ServerCredentials.createInsecure());
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
