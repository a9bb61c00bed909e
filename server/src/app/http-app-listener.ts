// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance } from 'fastify';
import type { Endpoint } from '#config/endpoint.ts';

/** How often connections that became idle are closed while stopping. */
const CLOSE_IDLE_MS = 50;

/** An HTTP application on its port. */
export class HttpAppListener {
  readonly #endpoint: Endpoint;
  readonly #create: () => FastifyInstance | Promise<FastifyInstance>;
  #app: FastifyInstance | undefined;

  constructor(endpoint: Endpoint, create: () => FastifyInstance | Promise<FastifyInstance>) {
    this.#endpoint = endpoint;
    this.#create = create;
  }

  /** Where it listens, or undefined while it does not. */
  get address(): Endpoint | undefined {
    const address = this.#app?.server.address();
    return typeof address === 'object' && address !== null
      ? { host: this.#endpoint.host, port: address.port }
      : undefined;
  }

  /** Begins to listen; rejects when the address cannot be had. */
  async start(): Promise<void> {
    this.#app = await this.#create();
    await this.#app.listen({ host: this.#endpoint.host, port: this.#endpoint.port });
  }

  /**
   * Stops to listen and resolves when the requests under way are answered; what still runs at
   * the deadline is cut. May be called before start and more than once.
   */
  async shutdown(deadlineMs: number): Promise<void> {
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
}
