// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance } from 'fastify';
import { parseTraceId } from '@spoor/core/model/ids.ts';
import { answerJson, streamJson } from '#api/json-answer.ts';
import { queryParams, tenantOf, type QueryContext } from '#api/query-context.ts';
import { matchesKind, parseOperationParams } from './operation-params.ts';
import { resourceSpansJson } from './otlp-trace-json.ts';
import { formatSpanKind } from './span-kind.ts';
import { found } from './v1-routes.ts';

/**
 * Jaeger's api_v3 over HTTP: spans as OTLP JSON, with everything that was sent.
 * @see https://github.com/jaegertracing/jaeger-idl/blob/main/proto/api_v3/query_service.proto
 */
export function addV3Routes(app: FastifyInstance, context: QueryContext): void {
  const { reader } = context;

  app.get('/api/v3/services', async (request, reply) =>
    answerJson(request, reply, context, async (signal) => ({
      services: await reader.getServices(tenantOf(request), { signal }),
    })),
  );

  app.get('/api/v3/operations', async (request, reply) =>
    answerJson(request, reply, context, async (signal) => {
      const filter = parseOperationParams(queryParams(request));
      const operations = await reader.getOperations(tenantOf(request), filter.service, { signal });
      return {
        operations: operations
          .filter((operation) => matchesKind(filter, operation))
          // A span without kind is internal work to this API.
          .map(({ name, kind }) => ({ name, spanKind: formatSpanKind(kind) ?? 'internal' })),
      };
    }),
  );

  app.get<{ Params: { id: string } }>('/api/v3/traces/:id', async (request, reply) => {
    const id = parseTraceId(request.params.id);
    const tenant = tenantOf(request);
    return streamJson(request, reply, context, async function* (style, signal) {
      yield [`{${style.line(1)}${style.name('result')}{${style.line(2)}`];
      yield [`${style.name('resourceSpans')}[`];
      for await (const batch of found(reader.getTraces(tenant, [id], { signal }))) {
        yield resourceSpansJson(batch, style, 3);
      }
      yield [`${style.line(2)}]${style.line(1)}}${style.line(0)}}`];
    });
  });
}
