// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance } from 'fastify';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { formatTraceId, parseTraceId, type TraceId } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { formatPageToken } from '@spoor/core/query/page-token.ts';
import { answerJson, answerList, streamJson } from '#api/json-answer.ts';
import { incompleteWarnings } from '#api/incomplete-answers.ts';
import type { JsonStyle } from '#api/json-style.ts';
import { queryParams, tenantOf, type QueryContext } from '#api/query-context.ts';
import { envelope, type JaegerError, listEnd } from './envelope.ts';
import { formatJaegerTraceId } from './jaeger-span.ts';
import { ProcessTexts } from './process-texts.ts';
import { ParamReader } from './param-reader.ts';
import { parseOperationParams, matchesKind } from './operation-params.ts';
import { parseTraceSearch } from './search-params.ts';
import { formatSpanKind } from './span-kind.ts';
import { KeptTagKeys } from './tag-keys.ts';
import { traceJson, type TraceJsonOptions } from './trace-json.ts';
import { traceSummaryJson, traceSummaryPieces } from './trace-summary-json.ts';
import { listOperations, listServices } from './unnamed-service.ts';

/** What is kept from answer to answer. */
type KeptTexts = Pick<TraceJsonOptions, 'processTexts' | 'tagKeys'>;

/** Where the JSON of a trace stands in its answer. */
type TracePlace = Omit<TraceJsonOptions, keyof KeptTexts | 'raw'>;

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
        return tracesAnswer(traces, style, { ...more, wanted: search.ids });
      }
      const { query } = search;
      const { batches, next } = await reader.findWholeTraces(tenant, query, { signal });
      const nextPage = next && formatPageToken(query, next);
      return tracesAnswer(batches, style, { ...more, nextPage });
    });
  });

  app.get('/api/trace-summaries', async (request, reply) => {
    const search = parseTraceSearch(queryParams(request), context.nowUnixMs());
    const tenant = tenantOf(request);
    if (search.kind === 'ids') {
      return streamJson(request, reply, context, async (style, signal) =>
        tracesAnswer(reader.getTraces(tenant, search.ids, { signal }), style, {
          entry: traceSummaryPieces,
          warnings: () => incompleteWarnings(context, tenant),
          wanted: search.ids,
        }),
      );
    }
    const { query } = search;
    return answerJson(request, reply, context, async (signal) => {
      const { traces, next } = await reader.findTraces(tenant, query, { signal });
      return {
        ...envelope(traces.map(traceSummaryJson)),
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

/** There are no traces. @param warnings what to say beside that */
export function notFoundError(message: string, warnings: readonly string[]): SpoorError {
  return new SpoorError('not_found', [message, ...warnings].join('; '));
}

/**
 * @param more.entry what is written of a trace, piece by piece
 * @param more.notFound what to say where there are no traces
 * @param more.warnings what to say beside what has been read by now
 * @param more.wanted ids of which the missing ones are told in `errors`
 * @param more.nextPage token with which to ask for the next page
 */
async function* tracesAnswer(
  traces: AsyncIterable<SpanBatch>,
  style: JsonStyle,
  more: {
    readonly entry: (batch: SpanBatch, place: TracePlace) => Iterable<string>;
    readonly warnings: () => readonly string[];
    readonly wanted?: readonly TraceId[];
    readonly nextPage?: string | undefined;
    readonly notFound?: string;
  },
): AsyncGenerator<Iterable<string>, void> {
  const missing = new Set<TraceId>(more.wanted);
  const { notFound } = more;
  const begin = `{${style.line(1)}${style.name('data')}[`;
  let first = true;
  for await (const batch of traces) {
    missing.delete(formatTraceId(batch.traceId, 0));
    const before = (first ? begin : '') + style.next(first, 2);
    const warnings = more.warnings();
    yield more.entry(batch, { before, style, depth: 2, warnings });
    first = false;
  }
  if (first && notFound !== undefined) throw notFoundError(notFound, more.warnings());
  const errors = [...missing].map((id): JaegerError => ({
    msg: 'trace not found',
    traceID: formatJaegerTraceId(id),
  }));
  const end = [`${first ? begin : style.line(1)}]`];
  for (const name of ['total', 'limit', 'offset'])
    end.push(`,${style.line(1)}${style.name(name)}0`);
  end.push(`,${style.line(1)}${style.name('errors')}`);
  end.push(style.value(errors.length === 0 ? null : errors, 1));
  if (more.nextPage !== undefined) {
    end.push(`,${style.line(1)}${style.name('nextPage')}${style.value(more.nextPage)}`);
  }
  const warnings = more.warnings();
  if (warnings.length > 0) {
    end.push(`,${style.line(1)}${style.name('warnings')}${style.value(warnings, 1)}`);
  }
  end.push(`${style.line(0)}}`);
  yield end;
}
