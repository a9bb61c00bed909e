// SPDX-License-Identifier: Apache-2.0
import type { StrategiesSource } from './strategies-source.ts';
import { legacyStrategyJson, strategyJson } from './strategy-json.ts';

/** An answer to a client over HTTP: JSON, or text with status 400. */
export type SamplingAnswer =
  | { readonly status: 200; readonly json: object }
  | { readonly status: 400; readonly text: string };

/**
 * Answers `GET PATH?service=NAME` as Jaeger does: `/` in the shape of the oldest clients, a path that ends in
 * `/baggageRestrictions` with none, any other with the strategy of the service. `GET /strategies` of no service has all of
 * them, for a Spoor on another host.
 * @see https://www.jaegertracing.io/docs/1.62/apis/#remote-sampling-configuration-stable
 */
export function samplingAnswer(strategies: StrategiesSource, url: string): SamplingAnswer {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const [service, ...others] = searchParams.getAll('service');
  if (service === undefined && pathname === '/strategies') {
    return { status: 200, json: strategies.file };
  }
  if (service === undefined || others.length > 0) {
    return { status: 400, text: "'service' parameter must be provided once" };
  }
  if (pathname.endsWith('/baggageRestrictions')) return { status: 200, json: [] };
  const strategy = strategies.strategyOf(service);
  const json = pathname === '/' ? legacyStrategyJson(strategy) : strategyJson(strategy);
  return { status: 200, json };
}
