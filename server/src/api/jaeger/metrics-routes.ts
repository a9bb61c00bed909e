// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { shownService, storedServices } from '@spoor/core/query/unnamed-service.ts';
import { incompleteWarnings } from '#api/incomplete-answers.ts';
import { answerJson, streamJson } from '#api/json-answer.ts';
import type { JsonStyle } from '#api/json-style.ts';
import { queryParams, tenantOf, type QueryContext } from '#api/query-context.ts';
import type { SpanMetrics } from '#storage/tracestore.ts';
import { envelope } from './envelope.ts';
import { type MetricsParams, parseMetricsParams, parseQuantile } from './metrics-params.ts';
import { MinuteWindow } from './minute-window.ts';

/** Points closer than this are the same: spans are counted by the minute. */
const MIN_STEP_MS = 60_000;

/** Points that are written in one piece. */
const PIECE_POINTS = 64;

/** What a point of a family says. */
interface Family {
  /** After `service_` or `service_operation_`. */
  readonly name: string;
  readonly help: string;
  /** @param seconds that the window covers */
  readonly value: (window: MinuteWindow, seconds: number) => number;
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
      value: ({ latency }) => latency.quantileNanos(quantile) / 1e6,
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

/** Some points at a time: many operations over a long time are millions of them. */
function* familyJson(
  family: Family,
  { byOperation, points, ratePerMinutes }: MetricsParams,
  found: Iterable<SpanMetrics>,
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
  const texts = pointTexts(points, style);
  let isFirst = true;
  for (const { service, operation, minutes } of found) {
    const labels = [
      ...(byOperation ? [{ name: 'operation', value: operation }] : []),
      { name: 'service_name', value: shownService(service) },
    ];
    yield `${style.next(isFirst, 2)}{${style.line(3)}${style.name('labels')}`;
    yield `${style.value(labels, 3)},${style.line(3)}${style.name('metricPoints')}[`;
    isFirst = false;
    yield* seriesJson(new MinuteWindow(minutes, ratePerMinutes), points, texts, (window) =>
      family.value(window, ratePerMinutes * 60),
    );
    yield `${style.line(3)}]${style.line(2)}}`;
  }
  yield `${isFirst ? '' : style.line(1)}]`;
  if (warnings.length > 0) {
    yield `,${style.line(1)}${style.name('warnings')}${style.value(warnings, 1)}`;
  }
  yield `${style.line(0)}}`;
}

/** What is written around the value of a point. */
interface PointText {
  readonly before: string;
  readonly after: string;
}

/** Points of all series have the same times. */
function pointTexts(points: readonly number[], style: JsonStyle): PointText[] {
  return points.map((unixMs, i) => {
    const timestamp = new Date(unixMs).toISOString().replace('.000Z', 'Z');
    const point = style.value({ gaugeValue: { doubleValue: null }, timestamp }, 4);
    const [before, after] = point.split('null') as [string, string];
    return { before: style.next(i === 0, 4) + before, after };
  });
}

function* seriesJson(
  window: MinuteWindow,
  points: readonly number[],
  texts: readonly PointText[],
  valueOf: (window: MinuteWindow) => number,
): Generator<string, void, undefined> {
  let json = '';
  let value = '';
  for (const [i, unixMs] of points.entries()) {
    // In most minutes of a day there may be nothing.
    if (window.moveTo(minuteOf(unixMs)) || i === 0) value = numberText(valueOf(window));
    const { before, after } = texts[i]!;
    json += before + value + after;
    if (i % PIECE_POINTS !== PIECE_POINTS - 1) continue;
    yield json;
    json = '';
  }
  yield json;
}

function numberText(value: number): string {
  return JSON.stringify(Number.isNaN(value) ? 'NaN' : value);
}
