// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { FastifyInstance } from 'fastify';
import { createApiApp } from '#api/api-app.ts';
import { LoopTurns } from '#api/loop-turns.ts';
import type {
  AttributeCounts,
  AttributeName,
  AttributeQuery,
  AttributeText,
  AttributeValuesQuery,
  Dependency,
  DependencyQuery,
  ReadOptions,
  SpanMetrics,
  SpanMetricsQuery,
  TraceReader,
  UnreadableSpans,
  WholeTraces,
} from '#storage/tracestore.ts';
import type { BearerTokens } from '#net/bearer-tokens.ts';
import { Tenancy, type TenancySettings } from '#net/tenancy.ts';
import { createLogger } from '#telemetry/logger.ts';
import { Metrics } from '#telemetry/metrics.ts';
import { ProcessMetrics } from '#telemetry/process-metrics.ts';
import { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import { formatTraceId, type TraceId } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { Operation } from '@spoor/core/query/operation-list.ts';
import type { TracePage, TraceQuery } from '@spoor/core/query/trace-query.ts';
import { OtlpJsonDecoder } from '@spoor/core/wire/otlp/decode-json.ts';

/** The batch of these `ResourceSpans` in OTLP/JSON. */
export function batchOf(...resourceSpans: object[]): SpanBatch {
  const builder = new BatchBuilder();
  const decoder = new OtlpJsonDecoder();
  decoder.begin(new TextEncoder().encode(JSON.stringify({ resourceSpans })));
  assert.ok(decoder.decode(builder));
  assert.equal(decoder.rejectedMessage, '');
  return builder.finish();
}

const COUNTED_WINDOW = { startMinUnixNano: 5_999_999n, startMaxUnixNano: 7_000_001n };

/** A few traces, newest first; remembers what was asked. */
export class FixtureReader implements TraceReader {
  readonly queries: TraceQuery[] = [];
  readonly ranges: DependencyQuery[] = [];
  readonly metricsQueries: SpanMetricsQuery[] = [];
  readonly attributeQueries: AttributeQuery[] = [];
  unreadableSpans: UnreadableSpans | undefined;
  readonly #batches: ReadonlyMap<TraceId, SpanBatch>;

  constructor(...batches: SpanBatch[]) {
    this.#batches = new Map(batches.map((batch) => [formatTraceId(batch.traceId, 0), batch]));
  }

  async *getTraces(
    _tenant: string,
    ids: readonly TraceId[],
    options?: ReadOptions,
  ): AsyncGenerator<SpanBatch> {
    for (const id of ids) {
      options?.signal?.throwIfAborted();
      const batch = this.#batches.get(id);
      if (batch !== undefined) yield batch;
    }
  }

  async findTraces(_tenant: string, query: TraceQuery, _options?: ReadOptions): Promise<TracePage> {
    this.queries.push(query);
    const traces = [...this.#batches.keys()].slice(0, query.limit).map((traceId) => ({
      traceId,
      startTimeUnixNano: 0n,
      endTimeUnixNano: 0n,
      spanCount: 1,
      errorCount: 0,
      rootServiceName: '',
      rootSpanName: '',
      rootSpanId: '' as const,
      services: [],
    }));
    const last = traces.at(-1);
    const isLast = last === undefined || traces.length === this.#batches.size;
    return { traces, next: isLast ? undefined : { key: 7n, traceId: last.traceId } };
  }

  async findWholeTraces(
    tenant: string,
    query: TraceQuery,
    options?: ReadOptions,
  ): Promise<WholeTraces> {
    const { traces, next } = await this.findTraces(tenant, query, options);
    const ids = traces.map(({ traceId }) => traceId);
    return { batches: this.getTraces(tenant, ids, options), next };
  }

  async getServices(): Promise<string[]> {
    return ['a/b', 'shop'];
  }

  async getOperations(_tenant: string, service: string): Promise<Iterable<Operation>> {
    if (service !== 'a/b') return [];
    return [
      { name: 'GET /', kind: 0 },
      { name: 'GET /', kind: 2 },
      { name: 'tick', kind: 1 },
    ];
  }

  /** One series for each service but `none`: two calls in minute 1,000, one of them an error, and four in minute 1,003. */
  async getSpanMetrics(_tenant: string, query: SpanMetricsQuery): Promise<Iterable<SpanMetrics>> {
    this.metricsQueries.push(query);
    return query.services
      .filter((service) => service !== 'none')
      .map((service) => ({
        service,
        operation: query.byOperation ? 'GET /' : '',
        minutes: {
          minute: Uint32Array.of(1000, 1003),
          calls: Float64Array.of(2, 4),
          errors: Float64Array.of(1, 0),
          start: Uint32Array.of(0, 1, 2),
          latency: { bucket: Uint32Array.of(300, 320), count: Float64Array.of(2, 4) },
        },
      }));
  }

  async getAttributeNames(
    _tenant: string,
    query: AttributeQuery,
  ): Promise<AttributeCounts<AttributeName>> {
    this.attributeQueries.push(query);
    const entries = [
      { scope: 'span' as const, name: 'http.method', count: 9 },
      { scope: 'resource' as const, name: 'host.name', count: 4 },
    ];
    return { entries, isComplete: true, ...COUNTED_WINDOW };
  }

  async getAttributeValues(
    _tenant: string,
    query: AttributeValuesQuery,
  ): Promise<AttributeCounts<AttributeText>> {
    this.attributeQueries.push(query);
    const entries = [{ value: 'GET', type: 'string' as const, count: 9 }];
    return { entries, isComplete: false, ...COUNTED_WINDOW };
  }

  unreadable(): UnreadableSpans | undefined {
    return this.unreadableSpans;
  }

  async getDependencies(_tenant: string, query: DependencyQuery): Promise<Iterable<Dependency>> {
    this.ranges.push(query);
    const edge = {
      isInferred: false,
      errors: 1,
      latency: { bucket: Uint32Array.of(20), count: Float64Array.of(7) },
    };
    const all: Dependency[] = [
      { ...edge, caller: 'shop', callee: 'bank', kind: 'call', calls: 4 },
      { ...edge, caller: 'shop', callee: 'bank', kind: 'messaging', calls: 3 },
      { ...edge, caller: 'shop', callee: 'redis', kind: 'database', isInferred: true, calls: 9 },
    ];
    return all.filter(({ isInferred }) => !(isInferred && query.noInferred === true));
  }
}

/** Runs a test against an API on this reader, not listening unless the test says so. */
export async function withApi(
  reader: TraceReader,
  run: (app: FastifyInstance) => Promise<void>,
  options: {
    uiDirectory?: string;
    timeoutMs?: number;
    tenancy?: TenancySettings;
    tokens?: BearerTokens;
    knownHosts?: readonly string[];
    requestTimeoutMs?: number;
  } = {},
): Promise<void> {
  const app = await createApiApp({
    query: {
      reader,
      logger: createLogger('silent'),
      timeoutMs: options.timeoutMs ?? 30_000,
      turns: new LoopTurns(),
      nowUnixMs: () => 1_700_000_000_000,
    },
    tenancy: new Tenancy(options.tenancy, options.tokens),
    metrics: new Metrics({
      version: '1',
      process: new ProcessMetrics(),
      receivers: () => [],
      components: () => [],
      tls: () => [],
      tokens: () => [],
      jaegerClients: () => [],
      tenants: () => [],
      bodies: () => ({ limitBytes: 1, usedBytes: 0, peakBytes: 0, refusals: 0 }),
      waitingBodies: () => 0,
      memory: () => ({ limitBytes: 0, isTight: false }),
      storeFigures: () => new Map(),
    }),
    uiDirectory: options.uiDirectory ?? '/nonexistent',
    knownHosts: options.knownHosts,
    requestTimeoutMs: options.requestTimeoutMs,
  });
  try {
    await run(app);
  } finally {
    await app.close();
  }
}

/** Has an API listen on a port of this machine. @returns the port */
export async function listen(app: FastifyInstance): Promise<number> {
  return Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port);
}

/** Id of {@link TRACE}. */
export const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
/** A root span in OTLP/JSON. */
export const ROOT = {
  traceId: TRACE_ID,
  spanId: '00000000000000a1',
  name: 'GET /',
  kind: 2,
  startTimeUnixNano: '1700000000000001000',
  endTimeUnixNano: '1700000000000003500',
};
/** A resource in OTLP/JSON. */
export const FRONTEND = {
  attributes: [
    { key: 'service.name', value: { stringValue: 'frontend' } },
    { key: 'host.name', value: { stringValue: 'h1' } },
  ],
};
/** A trace of two services with something of everything. */
export const TRACE = batchOf(
  { resource: FRONTEND, scopeSpans: [{ spans: [ROOT] }] },
  {
    resource: { attributes: [{ key: 'service.name', value: { stringValue: 'backend' } }] },
    scopeSpans: [
      {
        scope: { name: 'lib', version: '2' },
        spans: [
          {
            ...ROOT,
            spanId: '00000000000000b2',
            parentSpanId: '00000000000000a1',
            name: 'query',
            kind: 3,
            flags: 257,
            attributes: [
              { key: 'rows', value: { intValue: '9007199254740993' } },
              { key: 'ratio', value: { doubleValue: 'NaN' } },
              { key: 'raw', value: { bytesValue: 'AQI=' } },
            ],
            events: [{ timeUnixNano: '1700000000000002000', name: 'retry' }],
            links: [{ traceId: 'f'.repeat(32), spanId: 'e'.repeat(16) }],
            status: { code: 2, message: 'lost' },
          },
        ],
      },
    ],
  },
);
/** A trace with a short id, no service, and two spans of one id. */
export const SHORT_TRACE = batchOf({
  scopeSpans: [
    {
      spans: [
        { ...ROOT, traceId: '0000000000000000a3ce929d0e0e4736' },
        { ...ROOT, traceId: '0000000000000000a3ce929d0e0e4736', name: 'again' },
      ],
    },
  ],
});
