// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { SpoorError } from '@spoor/core/model/errors.ts';

/** What is dropped of a body that is refused, so that the client reads the answer, before its connection is closed. */
const MAX_DROPPED_BYTES = 1024 * 1024;

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
  let bytes = 0;
  request.on('data', (piece: Buffer) => {
    const before = bytes;
    bytes += piece.length;
    if (before <= maxBytes && bytes > maxBytes) tell?.(false);
    if (before <= MAX_DROPPED_BYTES && bytes > MAX_DROPPED_BYTES) request.socket.destroySoon();
  });
  request.on('end', () => {
    if (bytes <= maxBytes) tell?.(true);
  });
}
