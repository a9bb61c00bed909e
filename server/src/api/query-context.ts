// SPDX-License-Identifier: Apache-2.0
import type { FastifyRequest } from 'fastify';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { Tenancy } from '#net/tenancy.ts';
import type { TraceReader } from '#storage/tracestore.ts';
import type { LoopTurns } from './loop-turns.ts';
import type { Logger } from '#telemetry/logger.ts';

/** What the routes of the API work with. */
export interface QueryContext {
  readonly reader: TraceReader;
  readonly logger: Logger;
  /** See {@link RequestDeadline}. */
  readonly timeoutMs: number;
  /** Those in which all answers are made. */
  readonly turns: LoopTurns;
  /** Now, Unix epoch ms. */
  readonly nowUnixMs: () => number;
}

declare module 'fastify' {
  interface FastifyInstance {
    /** How requests name their tenant. */
    readonly tenancy: Tenancy;
  }
}

/**
 * The tenant whose traces a request may read. Every route that reads asks for it: a path can be written in too many ways
 * for a rule on paths.
 * @throws {SpoorError} unauthenticated
 */
export function tenantOf(request: FastifyRequest): Tenant {
  return request.server.tenancy.tenantOf((header) => request.headers[header], request.ip);
}

/** The parameters after the `?`, decoded, with repeated ones kept. */
export function queryParams(request: FastifyRequest): URLSearchParams {
  const mark = request.url.indexOf('?');
  return new URLSearchParams(mark < 0 ? '' : request.url.slice(mark + 1));
}
