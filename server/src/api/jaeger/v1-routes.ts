// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance } from 'fastify';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { formatTraceId, parseTraceId, type TraceId } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { formatPageToken } from '@spoor/core/query/page-token.ts';
import { answerJson, streamJson } from '#api/json-answer.ts';
import { incompleteWarnings } from '#api/incomplete-answers.ts';
import type { JsonStyle } from '#api/json-style.ts';
import { queryParams, tenantOf, type QueryContext } from '#api/query-context.ts';
import { envelope, type JaegerError } from './envelope.ts';
import { formatJaegerTraceId } from './jaeger-span.ts';
import { ProcessTexts } from './process-texts.ts';
import { ParamReader } from './param-reader.ts';
import { parseOperationParams, matchesKind } from './operation-params.ts';
import { parseTraceQuery, parseTraceSearch } from './search-params.ts';
import { formatSpanKind } from './span-kind.ts';
import { traceJson } from './trace-json.ts';
import { traceSummaryJson } from './trace-summary-json.ts';
import { listOperations, listServices } from './unnamed-service.ts';

/** Jaeger's v1 query API, which its UI up to 2.14, Grafana and most scripts call. */
export function addV1Routes(app: FastifyInstance, context: QueryContext): void {
  const { reader } = context;
  const processTexts = new ProcessTexts();

  app.get('/api/services', async (request, reply) =>
    answerJson(request, reply, context, async (signal) => {
      const services = await listServices(reader, tenantOf(request), { signal });
      return envelope(services, services.length);
    }),
  );

  app.get<{ Params: { service: string } }>(
    '/api/services/:service/operations',
    async (request, reply) =>
      answerJson(request, reply, context, async (signal) => {
        const { service } = request.params;
        const operations = await listOperations(reader, tenantOf(request), service, { signal });
        const names = [...new Set(operations.map((operation) => operation.name))];
        return envelope(names, names.length);
      }),
  );

  app.get('/api/operations', async (request, reply) =>
    answerJson(request, reply, context, async (signal) => {
      const filter = parseOperationParams(queryParams(request));
      const tenant = tenantOf(request);
      const operations = await listOperations(reader, tenant, filter.service, { signal });
      const data = operations.filter((operation) => matchesKind(filter, operation));
      return envelope(
        data.map(({ name, kind }) => ({ name, spanKind: formatSpanKind(kind) ?? '' })),
        data.length,
      );
    }),
  );

  app.get('/api/traces', async (request, reply) => {
    const params = queryParams(request);
    const search = parseTraceSearch(params, context.nowUnixMs());
    const raw = new ParamReader(params).flag('raw');
    const tenant = tenantOf(request);
    const warnings = (): readonly string[] => incompleteWarnings(context, tenant);
    return streamJson(request, reply, context, async function* (style, signal) {
      if (search.kind === 'ids') {
        const traces = reader.getTraces(tenant, search.ids, { signal });
        yield* tracesAnswer(traces, style, { raw, warnings, processTexts, wanted: search.ids });
      } else {
        const { query } = search;
        const { traces, next } = await reader.findTraces(tenant, query, { signal });
        const ids = traces.map((summary) => summary.traceId);
        const nextPage = next && formatPageToken(query, next);
        yield* tracesAnswer(reader.getTraces(tenant, ids, { signal }), style, {
          raw,
          warnings,
          processTexts,
          nextPage,
        });
      }
    });
  });

  app.get('/api/trace-summaries', async (request, reply) =>
    answerJson(request, reply, context, async (signal) => {
      const query = parseTraceQuery(queryParams(request), context.nowUnixMs());
      const { traces, next } = await reader.findTraces(tenantOf(request), query, { signal });
      return {
        ...envelope(traces.map(traceSummaryJson)),
        ...(next === undefined ? {} : { nextPage: formatPageToken(query, next) }),
      };
    }),
  );

  app.get<{ Params: { id: string } }>('/api/traces/:id', async (request, reply) => {
    const id = parseTraceId(request.params.id);
    const raw = new ParamReader(queryParams(request)).flag('raw');
    const tenant = tenantOf(request);
    const warnings = (): readonly string[] => incompleteWarnings(context, tenant);
    return streamJson(request, reply, context, async function* (style, signal) {
      const traces = found(reader.getTraces(tenant, [id], { signal }), 'trace not found', warnings);
      yield* tracesAnswer(traces, style, { raw, warnings, processTexts });
    });
  });
}

/**
 * Passes traces on.
 * @param warnings what to say beside `message`
 * @throws {SpoorError} not_found when there are none
 */
export async function* found(
  traces: AsyncIterable<SpanBatch>,
  message: string,
  warnings: () => readonly string[],
): AsyncGenerator<SpanBatch, void> {
  let any = false;
  for await (const batch of traces) {
    any = true;
    yield batch;
  }
  if (!any) throw new SpoorError('not_found', [message, ...warnings()].join('; '));
}

/**
 * @param more.raw whether spans are shown as they were sent
 * @param more.warnings what to say beside what has been read by now
 * @param more.wanted ids of which the missing ones are told in `errors`
 * @param more.nextPage token with which to ask for the next page
 */
async function* tracesAnswer(
  traces: AsyncIterable<SpanBatch>,
  style: JsonStyle,
  more: {
    readonly raw: boolean;
    readonly warnings: () => readonly string[];
    readonly processTexts: ProcessTexts;
    readonly wanted?: readonly TraceId[];
    readonly nextPage?: string | undefined;
  },
): AsyncGenerator<Iterable<string>, void> {
  const missing = new Set<TraceId>(more.wanted);
  let first = true;
  yield [`{${style.line(1)}${style.name('data')}[`];
  for await (const batch of traces) {
    missing.delete(formatTraceId(batch.traceId, 0));
    yield [style.next(first, 2)];
    const { raw, processTexts } = more;
    yield traceJson(batch, { style, depth: 2, raw, processTexts, warnings: more.warnings() });
    first = false;
  }
  const errors = [...missing].map((id): JaegerError => ({
    msg: 'trace not found',
    traceID: formatJaegerTraceId(id),
  }));
  const end = [`${first ? '' : style.line(1)}]`];
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
