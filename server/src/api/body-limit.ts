// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { drainBody } from '#net/drain-body.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether the body is small enough, known when that much of it has come; undefined where it is by its head. */
    bodyFits: Promise<boolean> | undefined;
  }
}

/**
 * Refuses a larger body with any request, which no route reads: Fastify lets pass those of requests that have none usually, or whose
 * type nothing parses, and Node would read and drop them whole. One whose length is not told is counted before the request is
 * answered. To be called before the hooks that refuse requests, with which a body is bounded as well.
 */
export function addBodyLimit(app: FastifyInstance, maxBytes: number): void {
  app.removeAllContentTypeParsers();
  app.decorateRequest('bodyFits', undefined);
  app.addHook('onRequest', (request, _reply, done) => {
    request.bodyFits = boundBody(request.raw, maxBytes);
    done();
  });
  // After all that refuse: their answers do not wait for a body.
  app.addHook('preParsing', async ({ bodyFits }, _reply, body) => {
    if (bodyFits !== undefined && !(await bodyFits)) {
      throw new SpoorError(
        'too_large',
        `the body is larger than ${maxBytes} bytes, and no route reads one`,
      );
    }
    return body;
  });
}

/**
 * Drops a body that is too large by its head or may be, and closes the connection when it does not end.
 * @returns whether it is small enough; undefined where its head says so
 */
export function boundBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<boolean> | undefined {
  const { headers } = request;
  const isTooLarge = Number(headers['content-length'] ?? 0) > maxBytes;
  if (!isTooLarge && headers['transfer-encoding'] === undefined) return undefined;
  drainBody(request, () => request.socket.destroySoon());
  if (isTooLarge) return Promise.resolve(false);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  drainBody(request, () => resolve(false), maxBytes);
  request.on('end', () => resolve(true));
  return promise;
}
