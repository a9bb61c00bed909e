// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance, FastifyReply } from 'fastify';
import { createHttpApp } from '#net/http-app.ts';
import type { Metrics } from './metrics.ts';

/** Time for a client to send its request, in ms. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Connections at a time: probes and scrapers are few. */
const MAX_CONNECTIONS = 100;
/** How long a connection may be open and silent, in ms: those that are let lie must not keep probes out. */
const SILENT_TIMEOUT_MS = 5000;

/** What the server tells. */
export interface HealthAppOptions {
  /** Why no requests should be sent here, or undefined when they may. */
  readonly problem: () => string | undefined;
  /** Body of `/status`. */
  readonly status: () => object;
  readonly metrics: Metrics;
  /** Time for the headers of a request to come, also of the first on a connection, in ms; five seconds unless given. */
  readonly silentTimeoutMs?: number;
}

/**
 * Health, status and metrics, for a port of their own that answers from the start to the very end;
 * not yet listening.
 *
 * `/ready` and `/health` are 200 once requests are taken and 503 with the reason otherwise;
 * `/live` is 200 as long as the process can answer at all.
 */
export function createHealthApp(options: HealthAppOptions): FastifyInstance {
  const { problem, status, metrics, silentTimeoutMs = SILENT_TIMEOUT_MS } = options;
  const app = createHttpApp({
    bodyLimit: 1024,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: {
      headersTimeout: silentTimeoutMs,
      // The timeouts are looked at this often.
      connectionsCheckingInterval: Math.ceil(silentTimeoutMs / 4),
    },
    routerOptions: { ignoreTrailingSlash: true },
    forceCloseConnections: 'idle',
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  // Those that wait for their next request make room, so that a probe that was turned away finds it when it comes again.
  app.server.on('drop', () => app.server.closeIdleConnections());
  app.addHook('onRequest', async (_request, reply) => {
    void reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
  });
  app.get('/ready', (_request, reply) => {
    const reason = problem();
    sendText(reply, reason === undefined ? 200 : 503, reason ?? 'ready');
  });
  app.get('/live', (_request, reply) => sendText(reply, 200, 'live'));
  app.get('/health', (_request, reply) => {
    const reason = problem();
    void reply
      .code(reason === undefined ? 200 : 503)
      .send(reason === undefined ? { status: 'UP' } : { status: 'DOWN', reason });
  });
  app.get('/status', (_request, reply) => {
    void reply.send(status());
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.expose()),
  );
  app.setNotFoundHandler((_request, reply) =>
    sendText(reply, 404, 'there are: /ready /live /health /status /metrics'),
  );
  return app;
}

function sendText(reply: FastifyReply, code: number, text: string): void {
  void reply.code(code).type('text/plain; charset=utf-8').send(`${text}\n`);
}
