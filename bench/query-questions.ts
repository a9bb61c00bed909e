// SPDX-License-Identifier: Apache-2.0
import { Random } from '../server/src/cli/tracegen/random.ts';
import type { QueryFacts } from './query-facts.ts';

/** A kind of question with the paths that ask it. */
export interface Question {
  readonly name: string;
  /** The next path; each call asks for something else where there is something else to ask for. */
  readonly path: () => string;
  /** Traces, names or series that the answer must have, at least; it is an error when it has fewer. */
  readonly results: number;
}

type Params = Readonly<Record<string, string>>;

const RARE = 'order.id';
const DAY_MS = 24 * 3600 * 1000;

/** The questions of the query part about a corpus of profile `shop`, as they are asked over HTTP. */
export function createQuestions(facts: QueryFacts, seed: number): Question[] {
  // Another one than the corpus was made with: otherwise what is in no span would be in some.
  const random = new Random(seed + 1);
  const { firstMicros, lastMicros, traceIds, orderIds, services } = facts;
  const window = { start: String(firstMicros), end: String(lastMicros) };
  const operations = facts.operations.filter(({ spanCount }) => spanCount >= 20);
  const find = (path: string, params: Params): string =>
    `${path}?${new URLSearchParams({ ...window, limit: '20', ...params }).toString()}`;
  const summaries = (params: Params): string => find('/api/trace-summaries', params);
  const traces = (params: Params): string => find('/api/traces', params);
  const tags = (values: Params): Params => ({ tags: JSON.stringify(values) });
  const lastMs = String(Math.ceil(lastMicros / 1000));
  const day = { endTs: lastMs, lookback: String(DAY_MS) };
  const service = (): Params => ({ service: random.pick(services) });
  const operation = (): Params => {
    const { serviceName, spanName } = random.pick(operations);
    return { service: serviceName, operation: spanName };
  };
  const metrics = (family: string, params: Params): string =>
    `/api/metrics/${family}?${new URLSearchParams({ ...day, ...service(), step: '60000', ...params }).toString()}`;
  const some = (name: string, path: () => string, results = 1): Question => ({
    name,
    path,
    results,
  });
  return [
    some('trace by id', () => `/api/traces/${random.pick(traceIds)}`),
    some('20 newest of a service, summaries', () => summaries(service())),
    some('20 newest of a service, whole traces', () => traces(service())),
    some('rare attribute, hit', () => traces(tags({ [RARE]: random.pick(orderIds) }))),
    some('rare attribute, miss', () => traces(tags({ [RARE]: random.uuid() })), 0),
    some('service + operation, summaries', () => summaries(operation())),
    some('service + operation, whole traces', () => traces(operation())),
    some('error of a service, summaries', () =>
      summaries({ service: 'storefront', ...tags({ error: 'true' }) }),
    ),
    some('service, 200 ms and longer, summaries', () =>
      summaries({ service: 'storefront', minDuration: `${200 + random.int(20)}ms` }),
    ),
    some('longest of the window, summaries', () =>
      summaries({ order: 'longest', start: String(firstMicros + random.int(1000)) }),
    ),
    some('most spans of the window, summaries', () =>
      summaries({ order: 'most_spans', start: String(firstMicros + random.int(1000)) }),
    ),
    some('traces of at least n spans, all time, summaries', () =>
      summaries({ start: '0', minSpans: String(20 + random.int(20)) }),
    ),
    some(
      'dependencies over 24 h',
      () => `/api/dependencies?${new URLSearchParams(day).toString()}`,
    ),
    some('calls of a service over 24 h', () => metrics('calls', {}), 0),
    some(
      'latencies of its operations over 24 h',
      () => metrics('latencies', { quantile: '0.95', groupByOperation: 'true' }),
      0,
    ),
    some('services', () => '/api/services'),
    some('operations of a service', () => `/api/services/${random.pick(services)}/operations`),
  ];
}

/** Traces, names or series in an answer. @throws {Error} when it has no list of them */
export function resultsIn(body: string): number {
  const answer: unknown = JSON.parse(body);
  if (typeof answer !== 'object' || answer === null) throw new Error('the answer is no object');
  const list = 'data' in answer ? answer.data : 'metrics' in answer ? answer.metrics : undefined;
  if (!Array.isArray(list)) throw new Error('the answer has no list');
  return list.length;
}
