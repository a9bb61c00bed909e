// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance } from 'fastify';
import { parseTraceId } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { formatPageToken } from '@spoor/core/query/page-token.ts';
import { answerJson, answerList, streamJson } from '#api/json-answer.ts';
import { incompleteWarnings } from '#api/incomplete-answers.ts';
import type { JsonStyle } from '#api/json-style.ts';
import { queryParams, tenantOf, type QueryContext } from '#api/query-context.ts';
import { matchesKind, parseOperationParams } from './operation-params.ts';
import { resourceSpansJson } from './otlp-trace-json.ts';
import { formatSpanKind } from './span-kind.ts';
import { traceSummaryJson } from './trace-summary-json.ts';
import { notFoundError } from './traces-answer.ts';
import { listOperations, listServices } from './service-lists.ts';
import { parseV3Search } from './v3-search-params.ts';

/**
 * Jaeger's api_v3 over HTTP: spans as OTLP JSON, with everything that was sent.
 * @see https://github.com/jaegertracing/jaeger-idl/blob/main/proto/api_v3/query_service.proto
 */
export function addV3Routes(app: FastifyInstance, context: QueryContext): void {
  const { reader } = context;

  app.get('/api/v3/services', async (request, reply) =>
    answerList(request, reply, context, {
      name: 'services',
      read: (tenant, signal) => listServices(reader, tenant, { signal }),
      entry: (name) => name,
    }),
  );

  app.get('/api/v3/operations', async (request, reply) => {
    const filter = parseOperationParams(queryParams(request));
    return answerList(request, reply, context, {
      name: 'operations',
      read: (tenant, signal) => listOperations(reader, tenant, filter.service, { signal }),
      // A span without kind is internal work to this API.
      entry: ({ name, kind }) =>
        matchesKind(filter, kind)
          ? { name, spanKind: formatSpanKind(kind) ?? 'internal' }
          : undefined,
    });
  });

  app.get<{ Params: { id: string } }>('/api/v3/traces/:id', async (request, reply) => {
    const id = parseTraceId(request.params.id);
    const tenant = tenantOf(request);
    const warnings = (): readonly string[] => incompleteWarnings(context, tenant);
    return streamJson(request, reply, context, (style, signal) =>
      resultAnswer(reader.getTraces(tenant, [id], { signal }), style, {
        warnings,
        notFound: 'trace not found',
      }),
    );
  });

  app.get('/api/v3/traces', async (request, reply) => {
    const query = parseV3Search(queryParams(request));
    const tenant = tenantOf(request);
    const warnings = (): readonly string[] => incompleteWarnings(context, tenant);
    return streamJson(request, reply, context, async (style, signal) => {
      const { batches, next } = await reader.findWholeTraces(tenant, query, { signal });
      const nextPage = next && formatPageToken(query, next);
      return resultAnswer(batches, style, { warnings, notFound: 'No traces found', nextPage });
    });
  });

  app.get('/api/v3/trace-summaries', async (request, reply) =>
    answerJson(request, reply, context, async (signal) => {
      const query = parseV3Search(queryParams(request));
      const { traces, next } = await reader.findTraces(tenantOf(request), query, { signal });
      return {
        summaries: traces.map((summary) => traceSummaryJson(summary)),
        ...(next === undefined ? {} : { nextPage: formatPageToken(query, next) }),
      };
    }),
  );
}

/** The spans of all traces in one `result`. */
async function* resultAnswer(
  traces: AsyncIterable<SpanBatch>,
  style: JsonStyle,
  more: {
    readonly warnings: () => readonly string[];
    readonly notFound: string;
    readonly nextPage?: string | undefined;
  },
): AsyncGenerator<Iterable<string>, void> {
  yield [`{${style.line(1)}${style.name('result')}{${style.line(2)}`];
  yield [`${style.name('resourceSpans')}[`];
  let first = true;
  for await (const batch of traces) {
    if (!first) yield [','];
    yield resourceSpansJson(batch, style, 3);
    first = false;
  }
  if (first) throw notFoundError(more.notFound, more.warnings());
  yield [`${style.line(2)}]${style.line(1)}}`];
  if (more.nextPage !== undefined) {
    yield [`,${style.line(1)}${style.name('nextPage')}${style.value(more.nextPage)}`];
  }
  const warnings = more.warnings();
  if (warnings.length > 0) {
    yield [`,${style.line(1)}${style.name('warnings')}${style.value(warnings, 1)}`];
  }
  yield [`${style.line(0)}}`];
}
