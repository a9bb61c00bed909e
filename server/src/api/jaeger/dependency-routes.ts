// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance } from 'fastify';
import { LatencySum } from '@spoor/core/analysis/latency-sum.ts';
import { answerJson } from '#api/json-answer.ts';
import { queryParams, tenantOf, type QueryContext } from '#api/query-context.ts';
import type { Dependency, MinuteRange } from '#storage/tracestore.ts';
import { envelope } from './envelope.ts';
import { millisecondsParam } from './milliseconds-param.ts';
import { shownService } from './unnamed-service.ts';

/** How far back dependencies go without `lookback`: a day. */
const DEFAULT_LOOKBACK_MS = 24 * 3600 * 1000;

/** `GET /api/dependencies`: which services call which, in Jaeger's shape with more beside it. */
export function addDependencyRoutes(app: FastifyInstance, context: QueryContext): void {
  const { reader } = context;

  app.get('/api/dependencies', async (request, reply) =>
    answerJson(request, reply, context, async (signal) => {
      const params = queryParams(request);
      const range = minuteRange(params, context.nowUnixMs());
      const service = params.get('service') ?? '';
      const withInferred = params.get('inferred') === 'true';
      const found = await reader.getDependencies(tenantOf(request), range, { signal });
      await context.turns.next();
      const named = found.map((edge) => ({
        ...edge,
        caller: shownService(edge.caller),
        callee: shownService(edge.callee),
      }));
      const asked = named.filter(
        ({ caller, callee, isInferred }) =>
          (withInferred || !isInferred) &&
          (service === '' || service === caller || service === callee),
      );
      const pairs = Map.groupBy(asked, ({ caller, callee, isInferred }) =>
        JSON.stringify([caller, callee, isInferred]),
      );
      return envelope([...pairs.values()].map(dependencyLink));
    }),
  );
}

/** The minutes that `endTs` and `lookback` touch. */
function minuteRange(params: URLSearchParams, nowUnixMs: number): MinuteRange {
  const end = millisecondsParam(params, 'endTs', nowUnixMs);
  const lookback = millisecondsParam(params, 'lookback', DEFAULT_LOOKBACK_MS);
  return {
    fromMinute: Math.floor(Math.max(0, end - lookback) / 60_000),
    toMinute: Math.floor(end / 60_000) + 1,
  };
}

/** One link for all kinds of calls of a pair. */
function dependencyLink(edges: readonly Dependency[]): object {
  const { caller, callee, isInferred } = edges[0]!;
  const sum = new LatencySum();
  for (const { latency } of edges) sum.addAll(latency);
  const micros = (ratio: number): number => Math.round(sum.quantileNanos(ratio) / 1000);
  return {
    parent: caller,
    child: callee,
    callCount: edges.reduce((sum, { calls }) => sum + calls, 0),
    errorCount: edges.reduce((sum, { errors }) => sum + errors, 0),
    latencyMicros: { p50: micros(0.5), p95: micros(0.95), p99: micros(0.99) },
    kinds: edges.map(({ kind }) => kind),
    inferred: isInferred,
  };
}
