// SPDX-License-Identifier: Apache-2.0
import type { Server } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyHttpOptions } from 'fastify';

/** Answers are our own text, and what comes is read by our own functions: to check and write it by JSON Schema is not asked for. */
function noSchemas(): never {
  throw new Error('routes have no schemas here');
}

/** Makes an HTTP application. It does without Fastify's compilers of schemas, which cost 45 ms of a start before the first schema. */
export function createHttpApp(options: FastifyHttpOptions<Server>): FastifyInstance {
  return Fastify({
    logger: false,
    schemaController: {
      compilersFactory: { buildValidator: () => noSchemas, buildSerializer: () => noSchemas },
    },
    ...options,
  });
}
