// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance, FastifyReply } from 'fastify';
import { createHttpApp } from '#net/http-app.ts';
import { samplingAnswer } from './sampling-answer.ts';
import type { StrategiesSource } from './strategies-source.ts';

/** Time for a client to send its request, in ms. */
const REQUEST_TIMEOUT_MS = 10_000;

/** An SDK asks about once a minute, and its connection stays open meanwhile. */
const MAX_CONNECTIONS = 16_384;

/**
 * Sampling strategies for SDKs over HTTP; not yet listening. `GET /sampling?service=NAME`, and any other path as well; `/` has the
 * shape that the oldest clients of Jaeger's agent ask for there. `/baggageRestrictions` has none.
 */
export function createSamplingApp(strategies: StrategiesSource): FastifyInstance {
  const app = createHttpApp({
    bodyLimit: 1024,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  app.addHook('onRequest', async (_request, reply) => {
    void reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
  });
  app.get('/*', (request, reply) => {
    const answer = samplingAnswer(strategies, request.url);
    if (answer.status === 200) void reply.send(answer.json);
    else sendText(reply, answer.status, answer.text);
  });
  app.setNotFoundHandler((_request, reply) =>
    sendText(reply.header('allow', 'GET'), 405, 'only GET: /sampling?service=NAME'),
  );
  return app;
}

function sendText(reply: FastifyReply, code: number, text: string): void {
  void reply.code(code).type('text/plain; charset=utf-8').send(`${text}\n`);
}
