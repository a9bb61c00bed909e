// SPDX-License-Identifier: Apache-2.0
import { lookup } from 'node:dns/promises';
import type { FastifyInstance } from 'fastify';
import type { Endpoint } from '#config/endpoint.ts';
import { LogThrottle, type Logger } from '#net/logger.ts';
import { TLS_HANDSHAKE_BYTE } from '#net/tls/plain-text.ts';
import { ServerTls, type ServerTlsSettings } from '#net/tls/server-tls.ts';

/** How often connections that became idle are closed while stopping. */
const CLOSE_IDLE_MS = 50;

/** Time for a TLS handshake, in ms. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

const LOG_INTERVAL_MS = 10_000;

/** Where an application is served. */
export interface HttpAppPlace {
  /** Path of its section in the configuration. */
  readonly path: string;
  readonly endpoint: Endpoint;
  /** Undefined: it speaks plain text. */
  readonly tls: ServerTlsSettings | undefined;
}

/** An HTTP application on its port. */
export class HttpAppListener {
  /** Undefined where it speaks plain text. */
  readonly tls: ServerTls | undefined;
  readonly #place: HttpAppPlace;
  readonly #create: () => FastifyInstance | Promise<FastifyInstance>;
  readonly #logger: Logger;
  readonly #throttle = new LogThrottle(LOG_INTERVAL_MS);
  #app: FastifyInstance | undefined;

  constructor(
    place: HttpAppPlace,
    create: () => FastifyInstance | Promise<FastifyInstance>,
    logger: Logger,
  ) {
    this.#place = place;
    this.#create = create;
    this.#logger = logger;
    const listener = {
      name: place.path,
      protocols: ['http/1.1'],
      handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
    } as const;
    this.tls = place.tls && new ServerTls(listener, place.tls, logger);
  }

  /** Where it listens, or undefined while it does not. */
  get address(): Endpoint | undefined {
    const address = this.#app?.server.address();
    return typeof address === 'object' && address !== null
      ? { host: this.#place.endpoint.host, port: address.port }
      : undefined;
  }

  /**
   * Begins to listen; rejects when the address cannot be had.
   * @throws {SpoorError} config: the certificate can't be read
   */
  async start(): Promise<void> {
    const { host, port } = this.#place.endpoint;
    await this.tls?.start();
    const app = await this.#create();
    this.#app = app;
    this.tls?.protect(app.server);
    app.server.on('clientError', (error: { rawPacket?: Buffer }) => {
      if (error.rawPacket?.[0] === TLS_HANDSHAKE_BYTE) this.#warnOfTls();
    });
    // Fastify listens on each address of `localhost` with a server of its own, which would be without TLS.
    const address = this.tls === undefined ? host : (await lookup(host)).address;
    await app.listen({ host: address, port });
  }

  /**
   * Stops to listen and resolves when the requests under way are answered; what still runs at
   * the deadline is cut. May be called before start and more than once.
   */
  async shutdown(deadlineMs: number): Promise<void> {
    this.tls?.shutdown();
    const app = this.#app;
    if (app === undefined) return;
    const deadline = setTimeout(() => app.server.closeAllConnections(), deadlineMs);
    // A connection that is busy now stays open when it has its answer, and would hold the end up until the deadline.
    const idle = setInterval(() => app.server.closeIdleConnections(), CLOSE_IDLE_MS);
    await app.close();
    clearInterval(idle);
    clearTimeout(deadline);
    this.#app = undefined;
  }

  #warnOfTls(): void {
    this.#throttle.log((suppressed) =>
      this.#logger.warn(
        { suppressed },
        `${this.#place.path}: TLS on a port that speaks plain text`,
      ),
    );
  }
}
