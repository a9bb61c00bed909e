// SPDX-License-Identifier: Apache-2.0
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ERROR_CODES, SpoorError } from '@spoor/core/model/errors.ts';
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
