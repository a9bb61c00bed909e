// SPDX-License-Identifier: Apache-2.0
import type { FastifyRequest } from 'fastify';
import { DEFAULT_TENANT, type Tenant } from '@spoor/core/model/ids.ts';
import type { TraceReader } from '#storage/tracestore.ts';
import type { Logger } from '#telemetry/logger.ts';

/** What the routes of the API work with. */
export interface QueryContext {
  readonly reader: TraceReader;
  readonly logger: Logger;
  /** See {@link RequestDeadline}. */
  readonly timeoutMs: number;
  /** Now, Unix epoch ms. */
  readonly nowUnixMs: () => number;
}

/** The tenant whose traces a request may read: there is one so far. */
export function tenantOf(_request: FastifyRequest): Tenant {
  return DEFAULT_TENANT;
}

/** The parameters after the `?`, decoded, with repeated ones kept. */
export function queryParams(request: FastifyRequest): URLSearchParams {
  const mark = request.url.indexOf('?');
  return new URLSearchParams(mark < 0 ? '' : request.url.slice(mark + 1));
}
