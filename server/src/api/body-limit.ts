// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { drainBody } from '#net/drain-body.ts';

/**
 * Refuses a larger body, which no route reads, also with requests that have none usually: of those Fastify does not look at it,
 * and Node would read and drop it whole. One whose length is not told is counted before the request is answered.
 */
export function addBodyLimit(app: FastifyInstance, maxBytes: number): void {
  app.addHook('preParsing', (request, _reply, body, done) => {
    const { headers, method } = request;
    if (Number(headers['content-length'] ?? 0) > maxBytes) {
      countBody(request.raw);
      done(tooLarge(maxBytes));
    } else if (
      headers['transfer-encoding'] === undefined ||
      (method !== 'GET' && method !== 'HEAD')
    ) {
      done(null, body);
    } else {
      countBody(request.raw, maxBytes, (fits) => {
        if (fits) done(null, body);
        else done(tooLarge(maxBytes));
      });
    }
  });
}

function tooLarge(maxBytes: number): SpoorError {
  const message = `the body is larger than ${maxBytes} bytes, and no route reads one`;
  return new SpoorError('too_large', message);
}

/** Drops a body, and closes the connection when it does not end. @param tell called once, with whether it is small enough */
function countBody(request: IncomingMessage, maxBytes = 0, tell?: (fits: boolean) => void): void {
  drainBody(request, () => request.socket.destroySoon());
  if (tell === undefined) return;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  drainBody(request, () => resolve(false), maxBytes);
  request.on('end', () => resolve(true));
  void promise.then(tell);
}
