// SPDX-License-Identifier: Apache-2.0
import type { Server, ServerOptions } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyHttpOptions } from 'fastify';
import { headProblem } from './head-problem.ts';

/** Answers are our own text, and what comes is read by our own functions: to check and write it by JSON Schema is not asked for. */
function noSchemas(): never {
  throw new Error('routes have no schemas here');
}

/** How much longer than its time a request may take at most, in ms. */
const TIMEOUT_SLACK_MS = 1000;

/**
 * Makes an HTTP application. It does without Fastify's compilers of schemas, which cost 45 ms of a start before the first schema.
 * `requestTimeout` is also that of the headers unless `http` has another.
 */
export function createHttpApp(options: FastifyHttpOptions<Server>): FastifyInstance {
  const app = Fastify({
    logger: false,
    schemaController: {
      compilersFactory: { buildValidator: () => noSchemas, buildSerializer: () => noSchemas },
    },
    ...options,
    http: { ...timeouts(options.requestTimeout), ...options.http, requireHostHeader: false },
  });
  refuseHeads(app);
  return app;
}

/** Node looks each 30 s whether a request takes too long, and of two times counts the longer for the whole of it. */
function timeouts(requestTimeout = 0): ServerOptions {
  if (requestTimeout === 0) return {};
  return {
    headersTimeout: requestTimeout,
    connectionsCheckingInterval: Math.min(TIMEOUT_SLACK_MS, Math.ceil(requestTimeout / 4)),
  };
}

/**
 * Refuses what Node would refuse with nothing in its answer: with an error, so that the answer has the form of the application's.
 * After its hooks on requests, which put headers into every answer.
 */
function refuseHeads(app: FastifyInstance): void {
  app.server.on('checkExpectation', (request, response) => {
    app.server.emit('request', request, response);
  });
  app.addHook('preParsing', (request, reply, body, done) => {
    const problem = headProblem(request.raw);
    if (problem === undefined) {
      done(null, body);
      return;
    }
    // Whether a body follows cannot be known.
    void reply.header('connection', 'close');
    done(Object.assign(new Error(problem.message), { statusCode: problem.status }));
  });
}
