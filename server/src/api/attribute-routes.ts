// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance } from 'fastify';
import { SpoorError, quote } from '@spoor/core/model/errors.ts';
import type { AttributeCounts, AttributeQuery, AttributeScope } from '#storage/tracestore.ts';
import { answerJson } from './json-answer.ts';
import { envelope } from './jaeger/envelope.ts';
import { millisecondsParam } from './jaeger/milliseconds-param.ts';
import { refuseMisspelled, type RouteParams } from './jaeger/misspelled-params.ts';
import { queryParams, tenantOf, type QueryContext } from './query-context.ts';

const NAMES_PARAMS: RouteParams = { names: ['endTs', 'lookback', 'prefix', 'limit'] };
const VALUES_PARAMS: RouteParams = { names: [...NAMES_PARAMS.names, 'name', 'scope'] };

const DEFAULT_LOOKBACK_MS = 24 * 3600 * 1000;
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

/**
 * `GET /api/attributes` and `/api/attributes/values`: what can be completed while a search is typed, within `ATTRIBUTE_LIMITS`; where
 * these leave something out the answer is not `complete`.
 */
export function addAttributeRoutes(app: FastifyInstance, context: QueryContext): void {
  const { reader } = context;

  app.get('/api/attributes', async (request, reply) => {
    const params = queryParams(request);
    refuseMisspelled(params, NAMES_PARAMS);
    const query = attributeQuery(params, context.nowUnixMs());
    return answerJson(request, reply, context, async (signal) => {
      const found = await reader.getAttributeNames(tenantOf(request), query, { signal });
      return answer('attributes', found);
    });
  });

  app.get('/api/attributes/values', async (request, reply) => {
    const params = queryParams(request);
    refuseMisspelled(params, VALUES_PARAMS);
    const name = params.get('name');
    if (name === null) throw invalid(`parameter 'name' is required`);
    const scope = scopeParam(params);
    const query = { ...attributeQuery(params, context.nowUnixMs()), scope, name };
    return answerJson(request, reply, context, async (signal) => {
      const found = await reader.getAttributeValues(tenantOf(request), query, { signal });
      return answer('values', found);
    });
  });
}

/** The entries, with the whole milliseconds that they were counted over. */
function answer(what: string, found: AttributeCounts<object>): object {
  return envelope(
    {
      [what]: found.entries,
      complete: found.isComplete,
      startUnixMs: Number(found.startMinUnixNano / 1_000_000n),
      endUnixMs: Number((found.startMaxUnixNano + 999_999n) / 1_000_000n),
    },
    found.entries.length,
  );
}

function attributeQuery(params: URLSearchParams, nowUnixMs: number): AttributeQuery {
  const end = millisecondsParam(params, 'endTs', nowUnixMs);
  const lookback = millisecondsParam(params, 'lookback', DEFAULT_LOOKBACK_MS);
  return {
    startMinUnixNano: BigInt(Math.max(0, end - lookback)) * 1_000_000n,
    startMaxUnixNano: BigInt(end + 1) * 1_000_000n,
    prefix: params.get('prefix') ?? '',
    limit: limitParam(params),
  };
}

function limitParam(params: URLSearchParams): number {
  const text = params.get('limit') || String(DEFAULT_LIMIT);
  const limit = Number(text);
  if (!/^\d{1,4}$/.test(text) || limit < 1 || limit > MAX_LIMIT) {
    throw invalid(`unable to parse param 'limit': ${quote(text)} is not from 1 to ${MAX_LIMIT}`);
  }
  return limit;
}

function scopeParam(params: URLSearchParams): AttributeScope {
  const text = params.get('scope') || 'span';
  if (text !== 'span' && text !== 'resource') {
    throw invalid(`unable to parse param 'scope': ${quote(text)} is not span or resource`);
  }
  return text;
}

function invalid(message: string): SpoorError {
  return new SpoorError('invalid_argument', message);
}
