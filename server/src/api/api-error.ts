// SPDX-License-Identifier: Apache-2.0
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ERROR_CODES, quote, SpoorError } from '@spoor/core/model/errors.ts';
import { errorEnvelope, v3Error } from '#api/jaeger/envelope.ts';
import { cutForLog, type Logger } from '#telemetry/logger.ts';

/** Whether a request is for the API and so gets JSON, also when it fails. */
export function isApiPath(url: string): boolean {
  return /^\/api(?:[/?#]|$)/.test(url);
}

/** Answers with an error in the form of the API that was asked: v3's or v1's. */
export function sendApiError(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  message: string,
): FastifyReply {
  const v3 = /^\/api\/v3(?:[/?#]|$)/.test(request.url);
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(v3 ? v3Error(status, message) : errorEnvelope(status, message)));
}

/** What a client is told of a fault: details may name files of this machine. */
const FAULT = 'a fault in Spoor; its log has the details';

/** Answers for an error that a handler threw, or that the HTTP server found. */
export function answerError(
  error: FastifyError | SpoorError | Error,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
): FastifyReply {
  if (error instanceof SpoorError) {
    const { http, retryable } = ERROR_CODES[error.code];
    if (http === 500) logger.error({ err: error, url: cutForLog(request.url) }, 'query failed');
    if (retryable) {
      void reply.header('retry-after', Math.ceil((error.retryAfterMs ?? 1000) / 1000));
    }
    return sendApiError(request, reply, http, error.code === 'internal' ? FAULT : error.message);
  }
  const status = 'statusCode' in error ? error.statusCode : undefined;
  if (status !== undefined && status >= 400 && status < 500) {
    return sendApiError(request, reply, status, error.message);
  }
  logger.error({ err: error, url: cutForLog(request.url) }, 'query failed');
  return sendApiError(request, reply, 500, FAULT);
}

/** What the HTTP server limits in the head of a request. */
export interface HeadLimits {
  /** Request line and headers, bytes. */
  readonly headerBytes: number;
  /** A parameter in the path, characters. */
  readonly pathParameterLength: number;
}

/** Answers a request whose path the router cannot take, and does not repeat all of it. */
export function answerPathError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
  { limits, logger }: { readonly limits: HeadLimits; readonly logger: Logger },
): FastifyReply {
  switch (error.code) {
    case 'FST_ERR_MAX_PARAM_LENGTH': {
      const message = `a name in the path is longer than ${limits.pathParameterLength} characters`;
      return sendApiError(request, reply, 414, message);
    }
    case 'FST_ERR_BAD_URL': {
      const [path = ''] = request.url.split('?');
      return sendApiError(request, reply, 400, `the path ${quote(path)} cannot be decoded`);
    }
    default:
      return answerError(error, request, reply, logger);
  }
}

/**
 * Answers what is no request, or not yet: what was asked for is not known, so it is in the form of v1, and the connection ends,
 * as Node does it.
 */
export function answerUnreadable(
  error: Error & { readonly code?: string },
  socket: Socket,
  limits: HeadLimits,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable) {
    const [status, message] = unreadable(error.code, limits);
    const body = JSON.stringify(errorEnvelope(status, message));
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  }
  socket.destroy(error);
}

function unreadable(
  code: string | undefined,
  { headerBytes }: HeadLimits,
): [status: number, message: string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [431, `the request line and headers are longer than ${headerBytes} bytes`];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, 'the request did not come in time'];
    default:
      return [400, 'this is no HTTP/1.1 request'];
  }
}
