// SPDX-License-Identifier: Apache-2.0

/** A question that asks for too much, or for what is nowhere. */
export interface HostileQuestion {
  readonly name: string;
  readonly path: string;
  /** Whether it is to be answered; otherwise it is refused with 400, or 431 where its head is too long. */
  readonly isAnswered: boolean;
}

const TEN_YEARS_MS = 10 * 365 * 86_400_000;
const TEN_YEARS = `lookback=custom&start=${(Date.now() - TEN_YEARS_MS) * 1000}&end=${Date.now() * 1000}`;
const SEARCH = `/api/traces?service=torture-1&${TEN_YEARS}`;
const SUMMARIES = `/api/trace-summaries?service=torture-1&${TEN_YEARS}`;

/** Each asks for something else in excess. */
export const HOSTILE_QUESTIONS: readonly HostileQuestion[] = [
  refused('a limit of 2^31', `${SEARCH}&limit=2147483648`),
  refused('a limit of 2^31 - 1', `${SEARCH}&limit=2147483647`),
  refused('a negative limit', `${SEARCH}&limit=-1`),
  refused('a limit that is no number', `${SEARCH}&limit=1e9`),
  answered('the most summaries', `${SUMMARIES}&limit=10000`),
  answered('the most summaries, most spans first', `${SUMMARIES}&limit=10000&order=most_spans`),
  answered('an attribute that is nowhere', `${SEARCH}&tags=${json({ 'no.such': 'x' })}`),
  answered('a value that is nowhere', `${SEARCH}&tags=${json({ 'torture.payload': 'x' })}`),
  answered('300 attributes', `${SEARCH}&tags=${json(attributes(300))}`),
  refused('a thousand attributes', `${SEARCH}&tags=${json(attributes(1000))}`),
  refused('5,000 attributes', `${SEARCH}&tags=${json(attributes(5000))}`),
  refused('tags that are no JSON', `${SEARCH}&tags=${'%7B'.repeat(10_000)}`),
  answered('100 comparisons in TraceQL', `${SEARCH}&q=${traceql(100)}`),
  refused('101 comparisons in TraceQL', `${SEARCH}&q=${traceql(101)}`),
  refused('parentheses in TraceQL', `${SEARCH}&q=${'%7B' + '('.repeat(8000)}`),
  answered('a duration that none has', `${SEARCH}&minDuration=100000h`),
  answered('a name of 4,000 characters', `/api/services/${'x'.repeat(4000)}/operations`),
  refused('1,001 traces', `/api/traces?${ids(1001)}`),
  answered('1,000 traces that are nowhere', `/api/traces?${ids(1000)}`),
  answered('calls of ten years', `/api/dependencies?lookback=${TEN_YEARS_MS}`),
  answered('rates of ten years', metrics('calls', TEN_YEARS_MS / 10_000)),
  refused('points of ten years, by the second', metrics('calls', 1000)),
  answered(
    'latencies of ten years',
    `${metrics('latencies', TEN_YEARS_MS / 10_000)}&quantile=0.99`,
  ),
  answered(
    'names of attributes of ten years',
    `/api/attributes?lookback=${TEN_YEARS_MS}&limit=1000`,
  ),
  answered(
    'values of an attribute of ten years',
    `/api/attributes/values?name=torture.payload&lookback=${TEN_YEARS_MS}&limit=1000`,
  ),
];

/** What takes long, for those who do not wait for it. */
export const LONG_QUESTIONS: readonly string[] = [
  `${SEARCH}&limit=10000`,
  `${SEARCH}&limit=10000&order=most_spans`,
  `${SUMMARIES}&limit=10000&order=longest`,
  `${SUMMARIES}&limit=10000&tags=${json(attributes(300))}`,
  `/api/dependencies?lookback=${TEN_YEARS_MS}`,
];

function answered(name: string, path: string): HostileQuestion {
  return { name, path, isAnswered: true };
}

function refused(name: string, path: string): HostileQuestion {
  return { name, path, isAnswered: false };
}

function metrics(family: string, step: number): string {
  return `/api/metrics/${family}?service=torture-1&lookback=${TEN_YEARS_MS}&ratePer=${TEN_YEARS_MS}&step=${Math.ceil(step)}`;
}

function traceql(comparisons: number): string {
  const parts = Array.from({ length: comparisons }, (_, i) => `.k${i} = "v"`);
  return encodeURIComponent(`{ ${parts.join(' || ')} }`);
}

function attributes(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']));
}

function ids(count: number): string {
  return Array.from({ length: count }, (_, i) => `traceID=${(2 ** 40 + i).toString(16)}`).join('&');
}

function json(value: unknown): string {
  return encodeURIComponent(JSON.stringify(value));
}
