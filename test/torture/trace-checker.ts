// SPDX-License-Identifier: Apache-2.0
import type { Random } from '../../server/src/cli/tracegen/random.ts';
import { CHECKSUM_KEY, PAYLOAD_KEY } from './request-body.ts';
import type { RequestLedger } from './request-ledger.ts';
import type { PlannedSpan, SpanPlan, TraceKey } from './span-plan.ts';
import type { Verdict } from './verdict.ts';

/** Spans asked for at once: some 2 MB of JSON. */
const SPANS_PER_QUESTION = 1500;
/** Looked for between two looks at the clock. */
const SOME_REQUESTS = 40;
/** About those whose spans fill one block. */
const REQUESTS_PER_PASS = 300;
/** Traces asked for at once; the server takes 1000, and a URL some 32 KiB. */
const TRACES_PER_QUESTION = 200;

/** What is read of Jaeger's JSON. */
interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly { readonly refType: string; readonly spanID: string }[];
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly { readonly key: string; readonly value: unknown }[];
  readonly logs: readonly unknown[];
  readonly processID: string;
}

interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
}

interface ExpectedTrace {
  readonly traceId: string;
  readonly sources: ReturnType<SpanPlan['sourcesOf']>;
  /** Requests whose spans must be there. */
  readonly required: ReadonlySet<number>;
}

/** What a checker works with. */
export interface CheckerOptions {
  readonly plan: SpanPlan;
  readonly ledger: RequestLedger;
  readonly verdict: Verdict;
  /** Traces that may lack spans, after damage; without it none may. */
  readonly onMissing?: (spans: number) => void;
}

/** Compares what a server answers with the plan and the ledger. */
export class TraceChecker {
  readonly #options: CheckerOptions;
  checkedSpans = 0;
  checkedTraces = 0;

  constructor(options: CheckerOptions) {
    this.#options = options;
  }

  /** Checks every trace that these requests have spans in; each trace once. */
  async checkRequests(queryUrl: string, requests: Iterable<number>): Promise<void> {
    // As blocks are made and sorted, so that neighbours lie in the same part of the same block.
    const ascending = [...requests].sort((a, b) => a - b);
    let before: ReadonlyMap<string, TraceKey> = new Map();
    for (let i = 0; i < ascending.length; i += REQUESTS_PER_PASS) {
      const traces = new Map<string, TraceKey>();
      for (const number of ascending.slice(i, i + REQUESTS_PER_PASS)) {
        this.#addTraces(number, traces);
      }
      // The first request of a pass may share a trace with the last one before.
      for (const id of before.keys()) traces.delete(id);
      await this.#checkSorted(queryUrl, traces);
      before = traces;
    }
  }

  /**
   * As {@link checkRequests}, in any order and only for a time.
   * @returns how many of them were looked for
   */
  async checkSome(
    queryUrl: string,
    requests: readonly number[],
    { forMs, random }: { forMs: number; random: Random },
  ): Promise<number> {
    const order = requests.toSorted(() => random.float() - 0.5);
    const untilMs = performance.now() + forMs;
    let checked = 0;
    while (checked < order.length && performance.now() < untilMs) {
      await this.checkRequests(queryUrl, order.slice(checked, checked + SOME_REQUESTS));
      checked += SOME_REQUESTS;
    }
    return Math.min(checked, order.length);
  }

  async #checkSorted(queryUrl: string, traces: ReadonlyMap<string, TraceKey>): Promise<void> {
    const ids = [...traces.keys()].sort();
    let keys: TraceKey[] = [];
    let spans = 0;
    for (const id of ids) {
      const key = traces.get(id)!;
      keys.push(key);
      spans += this.#options.plan.request(key.request).traceSpans;
      if (spans < SPANS_PER_QUESTION && keys.length < TRACES_PER_QUESTION) continue;
      await this.checkTraces(queryUrl, keys);
      keys = [];
      spans = 0;
    }
    if (keys.length > 0) await this.checkTraces(queryUrl, keys);
  }

  #addTraces(number: number, traces: Map<string, TraceKey>): void {
    const { plan } = this.#options;
    const request = plan.request(number);
    const keys = plan.tracesOf(request);
    // Late spans of this request are in the first trace of the one before.
    if (number > 0) keys.push({ request: number - 1, trace: 0 });
    for (const key of keys) traces.set(plan.traceId(key), key);
  }

  /** Fetches some traces and checks them. */
  async checkTraces(queryUrl: string, keys: readonly TraceKey[]): Promise<void> {
    const { plan } = this.#options;
    const ids = keys.map((key) => `traceID=${plan.traceId(key)}`).join('&');
    const expected = keys.map((key) => this.#expect(key));
    const traces = await fetchTraces(`${queryUrl}/api/traces?${ids}`);
    const byId = new Map(traces.map((trace) => [trace.traceID, trace]));
    this.#options.verdict.check('a trace is answered once', byId.size === traces.length, () => {
      return `${traces.length} traces with ${byId.size} ids`;
    });
    for (const trace of expected) {
      this.#checkTrace(trace, byId.get(trace.traceId));
      byId.delete(trace.traceId);
    }
    for (const id of byId.keys()) this.#unknown(`trace ${id} was not asked for`);
  }

  /** Searches as a person does, and checks what is found. Returns the number of traces found. */
  async checkSearch(queryUrl: string, params: URLSearchParams): Promise<number> {
    const { plan } = this.#options;
    const traces = await fetchTraces(`${queryUrl}/api/traces?${params.toString()}`);
    for (const trace of traces) {
      const key = plan.traceKey(trace.traceID);
      if (key === undefined) this.#unknown(`trace ${trace.traceID}`);
      // While senders are at work nobody knows what had to be there when the question was asked.
      else this.#checkTrace({ ...this.#expect(key), required: new Set() }, trace);
    }
    return traces.length;
  }

  /** What must be in a trace that is asked for now. */
  #expect(key: TraceKey): ExpectedTrace {
    const { plan, ledger } = this.#options;
    const sources = plan.sourcesOf(key);
    const required = sources
      .map(({ request }) => request.number)
      .filter((number) => ledger.state(number) === 'acked');
    return { traceId: plan.traceId(key), sources, required: new Set(required) };
  }

  #checkTrace(expected: ExpectedTrace, trace: JaegerTrace | undefined): void {
    const { plan, ledger, verdict, onMissing } = this.#options;
    this.checkedTraces++;
    const found = new Map<string, JaegerSpan>();
    for (const span of trace?.spans ?? []) {
      verdict.check('a span is found once', !found.has(span.spanID), () => {
        return `span ${span.spanID} of trace ${span.traceID} is there twice`;
      });
      found.set(span.spanID, span);
    }
    let missing = 0;
    const missingOf: string[] = [];
    for (const { request, indexes } of expected.sources) {
      const wasSent = ledger.state(request.number) !== 'unsent';
      const isRequired = expected.required.has(request.number);
      for (const index of indexes) {
        const spanId = plan.spanId(request.number, index);
        const span = found.get(spanId);
        found.delete(spanId);
        if (span === undefined) {
          if (!isRequired) continue;
          missing++;
          missingOf.push(`${request.number}/${index}`);
        } else if (!wasSent) {
          this.#unknown(`span ${spanId} of request ${request.number}, which was never sent`);
        } else {
          this.checkedSpans++;
          const difference = compare(plan.span(request, index), span, trace!);
          verdict.check('a span has the content that was sent', difference === undefined, () => {
            return `span ${spanId} of request ${request.number}: ${difference}`;
          });
        }
      }
    }
    for (const spanId of found.keys()) {
      this.#unknown(`span ${spanId} in trace ${expected.traceId}`);
    }
    if (missing > 0 && onMissing !== undefined) onMissing(missing);
    else {
      verdict.check('an acknowledged span is found', missing === 0, () => {
        const some = missingOf.slice(0, 5).join(' ');
        return `trace ${expected.traceId}: ${missing} missing of those acknowledged: ${some}`;
      });
    }
  }

  #unknown(what: string): void {
    this.#options.verdict.broken('nothing is found that was never sent', what);
  }
}

/** What differs between a span as it was planned and as it was answered; undefined when nothing does. */
function compare(want: PlannedSpan, got: JaegerSpan, trace: JaegerTrace): string | undefined {
  const tags = new Map(got.tags.map(({ key, value }) => [key, value]));
  const startMicros = Number(want.startTimeUnixNano / 1000n);
  const pairs: [name: string, want: unknown, got: unknown][] = [
    ['trace id', want.traceId, got.traceID],
    ['name', want.name, got.operationName],
    ['parent', want.parentSpanId, got.references[0]?.spanID ?? ''],
    ['start', startMicros, got.startTime],
    ['duration', Math.floor(want.durationNanos / 1000), got.duration],
    ['service', want.serviceName, trace.processes[got.processID]?.serviceName],
    ['checksum', want.checksum, tags.get(CHECKSUM_KEY)],
    ['payload', want.payload, tags.get(PAYLOAD_KEY)],
    ['error', want.isError, tags.get('error') === true],
    ['events', want.hasEvent ? 1 : 0, got.logs.length],
  ];
  const different = pairs.find(([, a, b]) => a !== b);
  if (different === undefined) return undefined;
  const [name, a, b] = different;
  return `${name} is ${String(b).slice(0, 100)} and not ${String(a).slice(0, 100)}`;
}

async function fetchTraces(url: string): Promise<readonly JaegerTrace[]> {
  const answer = await fetch(url);
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`GET ${url.slice(0, 100)}: ${answer.status} ${text}`);
  // The API answers with this shape; the comparison finds what differs from it.
  return (JSON.parse(text) as { data: JaegerTrace[] }).data;
}
