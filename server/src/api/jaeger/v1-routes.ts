// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance } from 'fastify';
import { parseTraceId } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { formatPageToken } from '@spoor/core/query/page-token.ts';
import { answerJson, answerList, streamJson } from '#api/json-answer.ts';
import { incompleteWarnings } from '#api/incomplete-answers.ts';
import { queryParams, tenantOf, type QueryContext } from '#api/query-context.ts';
import { envelope, listEnd } from './envelope.ts';
import { ProcessTexts } from './process-texts.ts';
import { ParamReader } from './param-reader.ts';
import { parseOperationParams, matchesKind } from './operation-params.ts';
import { parseTraceSearch } from './search-params.ts';
import { formatSpanKind } from './span-kind.ts';
import { readSummarized } from './summarized-traces.ts';
import { KeptTagKeys } from './tag-keys.ts';
import { traceJson, type TraceJsonOptions } from './trace-json.ts';
import {
  detailedSummaryPieces,
  traceSummaryJson,
  traceSummaryPieces,
} from './trace-summary-json.ts';
import { type TracePlace, tracesAnswer, wantedBatches } from './traces-answer.ts';
import { listOperations, listServices } from './service-lists.ts';

/** What is kept from answer to answer. */
type KeptTexts = Pick<TraceJsonOptions, 'processTexts' | 'tagKeys'>;

/** Jaeger's v1 query API, which its UI up to 2.14, Grafana and most scripts call. */
export function addV1Routes(app: FastifyInstance, context: QueryContext): void {
  const { reader } = context;
  const kept: KeptTexts = { processTexts: new ProcessTexts(), tagKeys: new KeptTagKeys() };
  const wholeTrace =
    (raw: boolean) =>
    (batch: SpanBatch, place: TracePlace): Iterable<string> =>
      traceJson(batch, { ...place, ...kept, raw });

  app.get('/api/services', async (request, reply) =>
    answerList(request, reply, context, {
      name: 'data',
      read: (tenant, signal) => listServices(reader, tenant, { signal }),
      entry: (name) => name,
      rest: listEnd,
    }),
  );

  app.get<{ Params: { service: string } }>(
    '/api/services/:service/operations',
    async (request, reply) => {
      const { service } = request.params;
      let last: string | undefined;
      return answerList(request, reply, context, {
        name: 'data',
        read: (tenant, signal) => listOperations(reader, tenant, service, { signal }),
        // One name may be of several kinds.
        entry: ({ name }) => (name === last ? undefined : (last = name)),
        rest: listEnd,
      });
    },
  );

  app.get('/api/operations', async (request, reply) => {
    const filter = parseOperationParams(queryParams(request));
    return answerList(request, reply, context, {
      name: 'data',
      read: (tenant, signal) => listOperations(reader, tenant, filter.service, { signal }),
      entry: ({ name, kind }) =>
        matchesKind(filter, kind) ? { name, spanKind: formatSpanKind(kind) ?? '' } : undefined,
      rest: listEnd,
    });
  });

  app.get('/api/traces', async (request, reply) => {
    const params = queryParams(request);
    const search = parseTraceSearch(params, context.nowUnixMs());
    const raw = new ParamReader(params).flag('raw');
    const tenant = tenantOf(request);
    const warnings = (): readonly string[] => incompleteWarnings(context, tenant);
    const more = { entry: wholeTrace(raw), warnings };
    return streamJson(request, reply, context, async (style, signal) => {
      if (search.kind === 'ids') {
        const traces = reader.getTraces(tenant, search.ids, { signal });
        return tracesAnswer(traces, style, { ...more, wanted: wantedBatches(search.ids) });
      }
      const { query } = search;
      const { batches, next } = await reader.findWholeTraces(tenant, query, { signal });
      const nextPage = next && formatPageToken(query, next);
      return tracesAnswer(batches, style, { ...more, nextPage });
    });
  });

  app.get('/api/trace-summaries', async (request, reply) => {
    const params = queryParams(request);
    const search = parseTraceSearch(params, context.nowUnixMs());
    const withDetails = new ParamReader(params).flag('details');
    const tenant = tenantOf(request);
    const warnings = (): readonly string[] => incompleteWarnings(context, tenant);
    if (search.kind === 'ids') {
      return streamJson(request, reply, context, async (style, signal) =>
        tracesAnswer(reader.getTraces(tenant, search.ids, { signal }), style, {
          entry: (batch, place) => traceSummaryPieces(batch, withDetails, place),
          warnings,
          wanted: wantedBatches(search.ids),
        }),
      );
    }
    const { query } = search;
    if (withDetails) {
      return streamJson(request, reply, context, async (style, signal) => {
        const { traces, next } = await reader.findTraces(tenant, query, { signal });
        const nextPage = next && formatPageToken(query, next);
        const summarized = readSummarized(reader, tenant, traces, { signal });
        return tracesAnswer(summarized, style, {
          entry: detailedSummaryPieces,
          warnings,
          nextPage,
        });
      });
    }
    return answerJson(request, reply, context, async (signal) => {
      const { traces, next } = await reader.findTraces(tenant, query, { signal });
      return {
        ...envelope(traces.map((summary) => traceSummaryJson(summary))),
        ...(next === undefined ? {} : { nextPage: formatPageToken(query, next) }),
      };
    });
  });

  app.get<{ Params: { id: string } }>('/api/traces/:id', async (request, reply) => {
    const id = parseTraceId(request.params.id);
    const raw = new ParamReader(queryParams(request)).flag('raw');
    const tenant = tenantOf(request);
    const warnings = (): readonly string[] => incompleteWarnings(context, tenant);
    return streamJson(request, reply, context, (style, signal) =>
      tracesAnswer(reader.getTraces(tenant, [id], { signal }), style, {
        entry: wholeTrace(raw),
        warnings,
        notFound: 'trace not found',
      }),
    );
  });
}
