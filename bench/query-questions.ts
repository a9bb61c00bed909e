// SPDX-License-Identifier: Apache-2.0
import type { CorpusTruth, TraceTruth } from '../server/src/cli/tracegen/corpus-truth.ts';
import { Random } from '../server/src/cli/tracegen/random.ts';

/** A kind of question with the paths that ask it. */
export interface Question {
  readonly name: string;
  /** The next path; each call asks for something else. */
  readonly path: () => string;
  /** Traces that the answer must have, at least; it is an error when it has fewer. */
  readonly traces: number;
}

const RARE = 'order.id';

/** The questions of the query part about a corpus of profile `shop`. */
export function createQuestions(truth: CorpusTruth, seed: number): Question[] {
  const random = new Random(seed);
  const starts = truth.traces.map(({ startTimeUnixNano }) => startTimeUnixNano);
  const first = starts.reduce((a, b) => (a < b ? a : b));
  const last = truth.traces
    .map(({ endTimeUnixNano }) => endTimeUnixNano)
    .reduce((a, b) => (a > b ? a : b));
  const window = { start: String(first / 1000n), end: String(last / 1000n), limit: '20' };
  const withOrder = truth.traces.filter(({ orderId }) => orderId !== '');
  const services = [...new Set(truth.operations.map(({ serviceName }) => serviceName))];
  const operations = truth.operations.filter(({ spanCount }) => spanCount >= 20);
  const search = (more: Readonly<Record<string, string>>): string =>
    `/api/traces?${new URLSearchParams({ ...window, ...more }).toString()}`;
  const tags = (values: Readonly<Record<string, string>>): { tags: string } => ({
    tags: JSON.stringify(values),
  });
  const trace = (list: readonly TraceTruth[]): TraceTruth => random.pick(list);
  return [
    { name: 'trace by id', traces: 1, path: () => `/api/traces/${trace(truth.traces).traceId}` },
    {
      name: '20 newest of a service',
      traces: 1,
      path: () => search({ service: random.pick(services) }),
    },
    {
      name: 'service + operation',
      traces: 1,
      path: () => {
        const { serviceName, spanName } = random.pick(operations);
        return search({ service: serviceName, operation: spanName });
      },
    },
    {
      name: 'rare attribute, hit',
      traces: 1,
      path: () => search(tags({ [RARE]: trace(withOrder).orderId })),
    },
    {
      name: 'rare attribute, miss',
      traces: 0,
      path: () => search(tags({ [RARE]: random.uuid() })),
    },
    {
      name: 'error of a service',
      traces: 1,
      path: () => search({ service: 'storefront', ...tags({ error: 'true' }) }),
    },
    {
      name: 'service, 200 ms and longer',
      traces: 0,
      path: () => search({ service: 'storefront', minDuration: `${200 + random.int(20)}ms` }),
    },
    { name: 'services', traces: 0, path: () => '/api/services' },
    {
      name: 'operations of a service',
      traces: 0,
      path: () => `/api/services/${random.pick(services)}/operations`,
    },
  ];
}
