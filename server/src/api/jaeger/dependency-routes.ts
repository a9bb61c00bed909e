// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance } from 'fastify';
import { LatencySum } from '@spoor/core/analysis/latency-sum.ts';
import { shownService } from '@spoor/core/query/unnamed-service.ts';
import { answerList } from '#api/json-answer.ts';
import { queryParams, type QueryContext } from '#api/query-context.ts';
import type { Dependency, MinuteRange } from '#storage/tracestore.ts';
import { listEnd } from './envelope.ts';
import { millisecondsParam } from './milliseconds-param.ts';
import { refuseMisspelled, type RouteParams } from './misspelled-params.ts';
import { ParamReader } from './param-reader.ts';

const PARAMS: RouteParams = { names: ['endTs', 'lookback', 'service', 'inferred'] };

/** How far back dependencies go without `lookback`: a day. */
const DEFAULT_LOOKBACK_MS = 24 * 3600 * 1000;

/** Edges that are looked at in one turn: some milliseconds. */
const TURN_EDGES = 1024;

/** `GET /api/dependencies`: which services call which, in Jaeger's shape with more beside it. */
export function addDependencyRoutes(app: FastifyInstance, context: QueryContext): void {
  app.get('/api/dependencies', async (request, reply) => {
    const params = queryParams(request);
    refuseMisspelled(params, PARAMS);
    const range = minuteRange(params, context.nowUnixMs());
    const service = params.get('service') ?? '';
    const inferred = new ParamReader(params).flag('inferred');
    const query = inferred ? range : { ...range, noInferred: true };
    return answerList(request, reply, context, {
      name: 'data',
      read: async (tenant, signal) => {
        const found = await context.reader.getDependencies(tenant, query, { signal });
        const pairs = await groupEdges(found, service, async () => {
          await context.turns.next();
          signal.throwIfAborted();
        });
        return pairs.values();
      },
      entry: dependencyLink,
      // Jaeger does not count them.
      rest: () => listEnd(0),
    });
  });
}

/** Edges that become one link. @param pause called now and then, as there may be tens of thousands */
async function groupEdges(
  found: Iterable<Dependency>,
  service: string,
  pause: () => Promise<void>,
): Promise<Map<string, Dependency[]>> {
  const pairs = new Map<string, Dependency[]>();
  let count = 0;
  for (const edge of found) {
    if (count++ % TURN_EDGES === 0) await pause();
    const caller = shownService(edge.caller);
    const callee = shownService(edge.callee);
    if (service !== '' && service !== caller && service !== callee) continue;
    const pair = JSON.stringify([caller, callee, edge.isInferred]);
    const named = { ...edge, caller, callee };
    const edges = pairs.get(pair);
    if (edges === undefined) pairs.set(pair, [named]);
    else edges.push(named);
  }
  return pairs;
}

/** The minutes that `[endTs - lookback, endTs)` touches: windows laid end to end, at whole minutes, share none. */
function minuteRange(params: URLSearchParams, nowUnixMs: number): MinuteRange {
  const end = millisecondsParam(params, 'endTs', nowUnixMs);
  const lookback = millisecondsParam(params, 'lookback', DEFAULT_LOOKBACK_MS);
  return {
    fromMinute: Math.floor(Math.max(0, end - lookback) / 60_000),
    toMinute: Math.ceil(end / 60_000),
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
