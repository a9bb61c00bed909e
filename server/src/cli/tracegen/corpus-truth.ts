// SPDX-License-Identifier: Apache-2.0
import type { CorpusRequest } from './corpus.ts';

/** What is known about one trace of one tenant. */
export interface TraceTruth {
  readonly tenant: string;
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** Distinct spans. */
  readonly spanCount: number;
  /** Distinct spans with status ERROR. */
  readonly errorCount: number;
  /** Service and name of the earliest span without parent; empty when there is none. */
  readonly rootServiceName: string;
  readonly rootSpanName: string;
  /** Earliest start and latest end of all spans. */
  readonly startTimeUnixNano: bigint;
  readonly endTimeUnixNano: bigint;
  /** Names of the services that have spans, sorted. */
  readonly serviceNames: readonly string[];
  /** `user.id` of its spans; empty where the profile has none. */
  readonly userId: string;
  /** `order.id` of its spans, if any of them names it; empty otherwise. */
  readonly orderId: string;
}

/** Distinct spans of one tenant's service by name and kind. */
export interface OperationTruth {
  readonly tenant: string;
  readonly serviceName: string;
  readonly spanName: string;
  readonly kind: number;
  spanCount: number;
}

/** What a whole corpus holds. */
export interface CorpusTruth {
  /** Distinct spans: what a store has to have at the end. */
  readonly spans: number;
  /** Spans in all requests, copies counted. */
  readonly sentSpans: number;
  readonly requests: number;
  /** Bytes of all bodies. */
  readonly bytes: number;
  /** Distinct spans with status ERROR. */
  readonly errors: number;
  /** In the order in which they were begun. */
  readonly traces: readonly TraceTruth[];
  readonly operations: readonly OperationTruth[];
}

/** Collects the truth while a corpus is made. */
export class TruthRecorder {
  readonly #keepTraces: boolean;
  readonly #traces: TraceTruth[] = [];
  readonly #operations = new Map<string, OperationTruth>();
  #spans = 0;
  #sentSpans = 0;
  #requests = 0;
  #bytes = 0;
  #errors = 0;

  constructor(keepTraces: boolean) {
    this.#keepTraces = keepTraces;
  }

  /** Counts one request as it is handed out. */
  request(request: CorpusRequest): void {
    this.#requests++;
    this.#sentSpans += request.spans;
    this.#bytes += request.body.length;
  }

  /** Counts a trace that is complete. */
  trace(trace: TraceTruth): void {
    this.#spans += trace.spanCount;
    this.#errors += trace.errorCount;
    if (this.#keepTraces) this.#traces.push(trace);
  }

  /** Counts one distinct span of an operation, which the caller keeps and increments for the next ones. */
  operation(tenant: string, serviceName: string, spanName: string, kind: number): OperationTruth {
    const key = `${tenant}\0${serviceName}\0${spanName}\0${kind}`;
    let operation = this.#operations.get(key);
    if (operation === undefined) {
      operation = { tenant, serviceName, spanName, kind, spanCount: 0 };
      this.#operations.set(key, operation);
    }
    return operation;
  }

  /** All that was collected. */
  truth(): CorpusTruth {
    return {
      spans: this.#spans,
      sentSpans: this.#sentSpans,
      requests: this.#requests,
      bytes: this.#bytes,
      errors: this.#errors,
      traces: this.#traces,
      operations: [...this.#operations.values()],
    };
  }
}

const COLUMNS = [
  'trace_id',
  'spans',
  'errors',
  'root_service',
  'root_operation',
  'user_id',
  'order_id',
  'start_unix_nano',
  'duration_us',
  'tenant',
  'services',
];

/** The traces as tab separated lines with a heading; tabs and line ends in names become spaces. */
export function* formatTraces(traces: readonly TraceTruth[]): Generator<string> {
  yield `${COLUMNS.join('\t')}\n`;
  for (const trace of traces) {
    const micros = (trace.endTimeUnixNano - trace.startTimeUnixNano) / 1000n;
    const cells = [
      trace.traceId,
      trace.spanCount,
      trace.errorCount,
      trace.rootServiceName,
      trace.rootSpanName,
      trace.userId,
      trace.orderId,
      trace.startTimeUnixNano,
      micros,
      trace.tenant,
      trace.serviceNames.join(','),
    ];
    yield `${cells.map((cell) => String(cell).replace(/[\t\r\n]/g, ' ')).join('\t')}\n`;
  }
}
