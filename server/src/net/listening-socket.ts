// SPDX-License-Identifier: Apache-2.0
import type { AddressInfo, Server } from 'node:net';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { LogThrottle, type Logger } from './logger.ts';
import { ServerTls, type SecuredListener, type ServerTlsSettings } from './tls/server-tls.ts';

/** Where a server is to listen. */
export interface ListeningSettings {
  /** Name or address to bind to. */
  readonly host: string;
  /** 0 to 65535; 0 is any free port. */
  readonly port: number;
  /** Connections open at the same time; more are closed at once. */
  readonly maxConnections: number;
  /** Undefined: it speaks plain text. */
  readonly tls: ServerTlsSettings | undefined;
}

/** Address that a server is bound to. */
export interface BoundAddress {
  readonly host: string;
  readonly port: number;
}

/** How connections end with their server. */
export interface ConnectionEnd {
  /** Ends those that are idle, and the others after what they do now. */
  readonly finish: () => void;
  /** Ends all at once. */
  readonly cut: () => void;
}

/** Where a gRPC server gets its connections from: a port of its own, or one that it shares. */
export type GrpcPort = Pick<ListeningSocket, 'tls' | 'address' | 'dropped' | 'start' | 'shutdown'>;

/**
 * Connections that wait to be accepted: Node takes one in each turn of the event loop, and a client that finds no place
 * here comes back after seconds only.
 */
const CONNECTION_BACKLOG = 4096;

const LOG_INTERVAL_MS = 10_000;

/** The listening socket of a server: bound once, closed once, and alive whatever happens while it accepts. */
export class ListeningSocket {
  /** Undefined where it speaks plain text. */
  readonly tls: ServerTls | undefined;
  readonly #name: string;
  readonly #settings: ListeningSettings;
  readonly #logger: Logger;
  readonly #throttle = new LogThrottle(LOG_INTERVAL_MS);
  #server: Server | undefined;
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #dropped = 0;

  constructor(listener: SecuredListener, settings: ListeningSettings, logger: Logger) {
    this.#name = listener.name;
    this.#settings = settings;
    this.#logger = logger;
    this.tls = settings.tls && new ServerTls(listener, settings.tls, logger);
  }

  /** Connections that were closed at once because there were too many. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Where the server is bound, or undefined while it isn't. */
  get address(): BoundAddress | undefined {
    // A string for pipes only, and this socket is none.
    const bound = this.#server?.address() as AddressInfo | null | undefined;
    return bound ? { host: bound.address, port: bound.port } : undefined;
  }

  /**
   * Binds. Resolves once connections are accepted, also when it was called before.
   * @param create makes the server, with its handlers
   * @throws {SpoorError} config: the address can't be bound, or the certificate can't be read; unavailable: shut down
   */
  start(create: () => Server): Promise<void> {
    if (this.#stopped !== undefined) {
      return Promise.reject(new SpoorError('unavailable', `${this.#name}: already shut down`));
    }
    this.#started ??= this.#open(create());
    return this.#started;
  }

  /** Stops accepting and resolves when all connections have ended. Safe before start and more than once. */
  shutdown(deadlineMs: number, end: ConnectionEnd): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs, end);
    return this.#stopped;
  }

  async #open(server: Server): Promise<void> {
    await this.tls?.start();
    this.tls?.protect(server);
    await this.#bind(server);
  }

  #bind(server: Server): Promise<void> {
    const { host, port, maxConnections } = this.#settings;
    server.maxConnections = maxConnections;
    server.on('drop', () => this.#dropped++);
    return new Promise((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException): void => {
        const why = error.code ?? error.message;
        const message = `${this.#name}: cannot listen on ${host}:${port}: ${why}`;
        reject(new SpoorError('config', message, { cause: error }));
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
        this.#server = server;
        resolve();
      });
    });
  }

  async #stop(deadlineMs: number, { finish, cut }: ConnectionEnd): Promise<void> {
    // A bind that failed was told to whoever started.
    await this.#started?.catch(() => undefined);
    this.tls?.shutdown();
    const server = this.#server;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    const timer = setTimeout(cut, deadlineMs);
    finish();
    await closed;
    clearTimeout(timer);
  }
}
