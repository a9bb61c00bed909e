// SPDX-License-Identifier: Apache-2.0
import { SpoorError, quote } from '@spoor/core/model/errors.ts';
import { millisecondsParam } from './milliseconds-param.ts';
import { refuseMisspelled, type RouteParams } from './misspelled-params.ts';
import { ParamReader } from './param-reader.ts';
import { parseSpanKind } from './span-kind.ts';

/** Jaeger's values for what is left out, ms. */
const DEFAULT_LOOKBACK_MS = 3600 * 1000;
const DEFAULT_STEP_MS = 5000;
const DEFAULT_RATE_PER_MS = 10 * 60 * 1000;
const DEFAULT_KIND = 'server';

/** Points of a series, as Prometheus bounds them. */
const MAX_POINTS = 11_000;

/** Of all its routes: clients send `quantile` to those that have none. */
const PARAMS: RouteParams = {
  names: [
    'service',
    'endTs',
    'lookback',
    'step',
    'ratePer',
    'spanKind',
    'groupByOperation',
    'quantile',
  ],
};

/** What `GET /api/metrics/*` asks for. */
export interface MetricsParams {
  readonly services: readonly string[];
  readonly kinds: readonly number[];
  readonly byOperation: boolean;
  /** Times of the points, Unix ms, ascending. */
  readonly points: readonly number[];
  /** How far back each point looks, in minutes. */
  readonly ratePerMinutes: number;
}

/**
 * Reads the parameters of `GET /api/metrics/*`.
 * @throws {SpoorError} invalid_argument
 */
export function parseMetricsParams(params: URLSearchParams, nowUnixMs: number): MetricsParams {
  refuseMisspelled(params, PARAMS);
  const services = params.getAll('service').filter((service) => service !== '');
  if (services.length === 0) throw invalid(`please provide at least one service name`);
  const words = params.getAll('spanKind').filter((word) => word !== '');
  const end = millisecondsParam(params, 'endTs', nowUnixMs);
  const lookback = millisecondsParam(params, 'lookback', DEFAULT_LOOKBACK_MS);
  const step = millisecondsParam(params, 'step', DEFAULT_STEP_MS);
  if (step < 1) throw invalid(`unable to parse param 'step': it must be above 0`);
  const count = Math.floor(Math.min(lookback, end) / step) + 1;
  if (count > MAX_POINTS) {
    throw invalid(
      `'lookback' ${lookback} has ${count} points of 'step' ${step}, over ${MAX_POINTS}`,
    );
  }
  const ratePer = millisecondsParam(params, 'ratePer', DEFAULT_RATE_PER_MS);
  return {
    services: [...new Set(services)],
    kinds: (words.length === 0 ? [DEFAULT_KIND] : words).map(kindOf),
    byOperation: new ParamReader(params).flag('groupByOperation'),
    points: Array.from({ length: count }, (_, i) => end - (count - 1 - i) * step),
    ratePerMinutes: Math.max(1, Math.round(ratePer / 60_000)),
  };
}

/**
 * Reads `quantile`.
 * @throws {SpoorError} invalid_argument
 */
export function parseQuantile(params: URLSearchParams): number {
  const text = params.get('quantile') ?? '';
  const quantile = Number(text);
  if (text.trim() === '' || !(quantile > 0 && quantile <= 1)) {
    throw invalid(`unable to parse param 'quantile': ${quote(text)} is not above 0 and at most 1`);
  }
  return quantile;
}

function kindOf(word: string): number {
  const kind = parseSpanKind(word.replace(/^SPAN_KIND_/i, ''));
  if (kind === undefined) {
    throw invalid(
      `unable to parse param 'spanKind': ${quote(word)} is not one of unspecified, internal, server, client, producer, consumer`,
    );
  }
  return kind;
}

function invalid(message: string): SpoorError {
  return new SpoorError('invalid_argument', message);
}
