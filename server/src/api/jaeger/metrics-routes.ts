// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { quantileNanos } from '@spoor/core/analysis/latency-bucket.ts';
import { incompleteWarnings } from '#api/incomplete-answers.ts';
import { answerJson, streamJson } from '#api/json-answer.ts';
import type { JsonStyle } from '#api/json-style.ts';
import { queryParams, tenantOf, type QueryContext } from '#api/query-context.ts';
import type { SpanMetrics } from '#storage/tracestore.ts';
import { envelope } from './envelope.ts';
import { type MetricsParams, parseMetricsParams, parseQuantile } from './metrics-params.ts';
import { type MinuteSum, MinuteWindow } from './minute-window.ts';
import { shownService, storedServices } from './unnamed-service.ts';

/** Points closer than this are the same: spans are counted by the minute. */
const MIN_STEP_MS = 60_000;

/** What a point of a family says. */
interface Family {
  /** After `service_` or `service_operation_`. */
  readonly name: string;
  readonly help: string;
  /** @param seconds that the window covers */
  readonly value: (sum: MinuteSum, seconds: number) => number;
}

const CALL_RATE: Family = {
  name: 'call_rate',
  help: 'calls/sec',
  value: ({ calls }, seconds) => calls / seconds,
};

const ERROR_RATE: Family = {
  name: 'error_rate',
  help: 'error rate, computed as a fraction of errors/sec over calls/sec',
  value: ({ calls, errors }) => errors / calls,
};

/** `GET /api/metrics/*`: rates, errors and latencies of services, as Jaeger's monitor page and its clients ask for them. */
export function addMetricsRoutes(app: FastifyInstance, context: QueryContext): void {
  app.get('/api/metrics/latencies', async (request, reply) => {
    const quantile = parseQuantile(queryParams(request));
    return answer(request, reply, {
      name: 'latencies',
      help: `${quantile.toFixed(2)}th quantile latency`,
      value: ({ latency }) => quantileNanos(latency(), quantile) / 1e6,
    });
  });
  app.get('/api/metrics/calls', async (request, reply) => answer(request, reply, CALL_RATE));
  app.get('/api/metrics/errors', async (request, reply) => answer(request, reply, ERROR_RATE));
  app.get('/api/metrics/minstep', async (request, reply) => {
    // It is the same for all tenants; who is none is answered nothing.
    tenantOf(request);
    return answerJson(request, reply, context, async () => envelope(MIN_STEP_MS));
  });

  async function answer(
    request: FastifyRequest,
    reply: FastifyReply,
    family: Family,
  ): Promise<FastifyReply> {
    const params = parseMetricsParams(queryParams(request), context.nowUnixMs());
    const { services, kinds, byOperation, points, ratePerMinutes } = params;
    const tenant = tenantOf(request);
    return streamJson(request, reply, context, async function* (style, signal) {
      const found = await context.reader.getSpanMetrics(
        tenant,
        {
          services: services.flatMap(storedServices),
          kinds,
          byOperation,
          fromMinute: Math.max(0, minuteOf(points[0]!) - ratePerMinutes + 1),
          toMinute: minuteOf(points.at(-1)!) + 1,
        },
        { signal },
      );
      yield familyJson(family, params, found, style, incompleteWarnings(context, tenant));
    });
  }
}

function minuteOf(unixMs: number): number {
  return Math.floor(unixMs / 60_000);
}

/** Point by point: many operations over a long time are millions of them. */
function* familyJson(
  family: Family,
  { byOperation, points, ratePerMinutes }: MetricsParams,
  found: readonly SpanMetrics[],
  style: JsonStyle,
  warnings: readonly string[],
): Generator<string, void, undefined> {
  const head = {
    name: `service_${byOperation ? 'operation_' : ''}${family.name}`,
    type: 'GAUGE',
    help: `${family.help}, grouped by service${byOperation ? ' & operation' : ''}`,
  };
  yield '{';
  for (const [name, value] of Object.entries(head)) {
    yield `${style.line(1)}${style.name(name)}${style.value(value)},`;
  }
  yield `${style.line(1)}${style.name('metrics')}[`;
  let isFirst = true;
  for (const { service, operation, minutes } of found) {
    const window = new MinuteWindow(minutes, ratePerMinutes);
    const labels = [
      ...(byOperation ? [{ name: 'operation', value: operation }] : []),
      { name: 'service_name', value: shownService(service) },
    ];
    yield `${style.next(isFirst, 2)}{${style.line(3)}${style.name('labels')}`;
    yield `${style.value(labels, 3)},${style.line(3)}${style.name('metricPoints')}[`;
    isFirst = false;
    for (const [i, unixMs] of points.entries()) {
      const value = family.value(window.endingWith(minuteOf(unixMs)), ratePerMinutes * 60);
      const point = {
        gaugeValue: { doubleValue: Number.isNaN(value) ? 'NaN' : value },
        timestamp: new Date(unixMs).toISOString().replace('.000Z', 'Z'),
      };
      yield style.next(i === 0, 4) + style.value(point, 4);
    }
    yield `${style.line(3)}]${style.line(2)}}`;
  }
  yield `${isFirst ? '' : style.line(1)}]`;
  if (warnings.length > 0) {
    yield `,${style.line(1)}${style.name('warnings')}${style.value(warnings, 1)}`;
  }
  yield `${style.line(0)}}`;
}
