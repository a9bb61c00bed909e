// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from 'node:timers/promises';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant, TraceId } from '@spoor/core/model/ids.ts';
import type { SpanColumns } from '@spoor/core/model/span-columns.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { uint64 } from '@spoor/core/model/span-reader.ts';
import { joinTrace, orderTrace, type TracePart } from '@spoor/core/query/join-trace.ts';
import { mergeOperations, type Operation } from '@spoor/core/query/operation-list.ts';
import { OperationCollector, ServiceCollector } from '@spoor/core/query/operations.ts';
import { compilePredicate, evaluate, PredicateBudget } from '@spoor/core/query/predicate.ts';
import { TraceSummarizer } from '@spoor/core/query/summarize-trace.ts';
import { TopTraces } from '@spoor/core/query/top-traces.ts';
import { TraceEvaluator } from '@spoor/core/query/trace-evaluator.ts';
import { positionOf } from '@spoor/core/query/trace-order.ts';
import type { TracePage, TraceQuery } from '@spoor/core/query/trace-query.ts';
import { DEPENDENCY_LIMITS, DependencySum } from '#storage/dependency-sum.ts';
import { SPAN_METRICS_LIMITS, SpanMetricsSum } from '#storage/span-metrics-sum.ts';
import { AttributeNameSum, AttributeValueSum, rowsInWindow } from '#storage/attribute-sums.ts';
import { DerivedCounts, type KeepRows } from '#storage/derived-counts.ts';
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
  StoredRequest,
  StoreDamage,
  StoreFigures,
  TraceStore,
  WholeTraces,
} from '#storage/tracestore.ts';
import { StoredBatch } from './stored-batch.ts';

/** Limits of a {@link MemoryStore} without others: what fits beside the rest of a process of 400 MiB. */
const DEFAULT_MAX_SPANS = 200_000;
const DEFAULT_MAX_BYTES = 128 * 1024 * 1024;

/**
 * Small batches are joined up to this size, and up to this part of what may be kept: one of a single span takes a hundred
 * times the memory of a span in a large one, and what is evicted at once should be little.
 */
const JOINED_ROWS = 4096;
const JOINED_PART = 1 / 16;

/** Names are sorted in one turn of the main thread: so many take less than a tenth of a second. */
const METRICS_LIMITS = { ...SPAN_METRICS_LIMITS, series: 2 ** 15 };
const EDGE_LIMITS = { ...DEPENDENCY_LIMITS, edges: 2 ** 14 };

/** How long a read keeps the event loop at a time, in ms. */
const SLICE_MS = 5;

/** Limits of a {@link MemoryStore}, all tenants together. */
export interface MemoryStoreOptions {
  readonly maxSpans?: number;
  readonly maxBytes?: number;
}

/**
 * Keeps spans in memory and forgets them with the process: for tests, and for `storage.type: memory`.
 *
 * Beyond its limits the oldest batches go, of whatever tenant, and with them parts of traces that came in over a longer
 * time. A batch that would not fit even alone is refused.
 */
export class MemoryStore implements TraceStore {
  readonly #maxSpans: number;
  readonly #maxBytes: number;
  /** Batches of each tenant, oldest first. A list is replaced and never changed, so a read keeps the one it began with. */
  readonly #tenants = new Map<Tenant, readonly StoredBatch[]>();
  /** All batches, oldest first. */
  readonly #batches = new Set<StoredBatch>();
  #spans = 0;
  #sizeBytes = 0;
  #evictedSpans = 0;
  #open = false;

  constructor(options: MemoryStoreOptions = {}) {
    this.#maxSpans = options.maxSpans ?? DEFAULT_MAX_SPANS;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  }

  async start(): Promise<void> {
    this.#open = true;
  }

  async shutdown(): Promise<void> {
    this.#open = false;
    this.#tenants.clear();
    this.#batches.clear();
    this.#spans = 0;
    this.#sizeBytes = 0;
  }

  get unhealthy(): string | undefined {
    return this.#open ? undefined : 'the store is not open';
  }

  /** Memory is not checked. */
  get damage(): readonly StoreDamage[] {
    return [];
  }

  /** All of it can be read. */
  unreadable(): undefined {
    return undefined;
  }

  /** None: nothing outlives the process. */
  recentRequests(): readonly StoredRequest[] {
    return [];
  }

  async write(tenant: Tenant, batch: SpanBatch): Promise<void> {
    this.#checkOpen();
    if (batch.rows === 0) return;
    const stored = new StoredBatch(tenant, batch);
    if (stored.rows > this.#maxSpans || stored.sizeBytes > this.#maxBytes) {
      throw new SpoorError(
        'too_large',
        `a batch of ${stored.rows} spans and ${stored.sizeBytes} bytes is over the ${this.#maxSpans} spans and ${this.#maxBytes} bytes that are kept in memory`,
      );
    }
    this.#add(this.#joined(stored));
    for (const oldest of this.#batches) {
      if (this.#spans <= this.#maxSpans && this.#sizeBytes <= this.#maxBytes) break;
      this.#remove(oldest);
      this.#evictedSpans += oldest.rows;
    }
  }

  async *getTraces(
    tenant: Tenant,
    ids: readonly TraceId[],
    options: ReadOptions = {},
  ): AsyncGenerator<SpanBatch, void, undefined> {
    yield* readTraces(this.#batchesNow(tenant), ids, options);
  }

  async findWholeTraces(
    tenant: Tenant,
    query: TraceQuery,
    options: ReadOptions = {},
  ): Promise<WholeTraces> {
    const batches = this.#batchesNow(tenant);
    const { traces, next } = await findTraces(batches, query, options);
    const ids = traces.map(({ traceId }) => traceId);
    return { batches: readTraces(batches, ids, options), next };
  }

  async findTraces(
    tenant: Tenant,
    query: TraceQuery,
    options: ReadOptions = {},
  ): Promise<TracePage> {
    return findTraces(this.#batchesNow(tenant), query, options);
  }

  async getServices(tenant: Tenant, options: ReadOptions = {}): Promise<string[]> {
    const collector = new ServiceCollector();
    await this.#forEach(tenant, options, (batch) => collector.add(batch));
    return collector.names();
  }

  async getOperations(
    tenant: Tenant,
    service: string,
    options: ReadOptions = {},
  ): Promise<Iterable<Operation>> {
    // To sort all of them would take one long turn.
    const lists: Operation[][] = [];
    await this.#forEach(tenant, options, (batch) => {
      const collector = new OperationCollector(service);
      collector.add(batch);
      lists.push([...collector.operations()]);
    });
    return mergeOperations(lists);
  }

  async getDependencies(
    tenant: Tenant,
    query: DependencyQuery,
    options: ReadOptions = {},
  ): Promise<Iterable<Dependency>> {
    const sum = new DependencySum(query, EDGE_LIMITS);
    const counts = await countDerived(this.#batchesNow(tenant), options);
    const slice = new Slice(options.signal);
    const edges = counts.edges();
    await slice.check();
    sum.add(edges);
    await slice.check();
    return sum.dependencies();
  }

  async getSpanMetrics(
    tenant: Tenant,
    query: SpanMetricsQuery,
    options: ReadOptions = {},
  ): Promise<Iterable<SpanMetrics>> {
    const sum = new SpanMetricsSum(query, METRICS_LIMITS);
    const counts = await countDerived(this.#batchesNow(tenant), options);
    const slice = new Slice(options.signal);
    const spans = counts.spans();
    await slice.check();
    sum.add(spans);
    await slice.check();
    return sum.metrics();
  }

  async getAttributeNames(
    tenant: Tenant,
    query: AttributeQuery,
    options: ReadOptions = {},
  ): Promise<AttributeCounts<AttributeName>> {
    const sum = new AttributeNameSum(query);
    await this.#addAttributes(tenant, query, sum, options);
    return sum.result();
  }

  async getAttributeValues(
    tenant: Tenant,
    query: AttributeValuesQuery,
    options: ReadOptions = {},
  ): Promise<AttributeCounts<AttributeText>> {
    const sum = new AttributeValueSum(query);
    await this.#addAttributes(tenant, query, sum, options);
    return sum.result();
  }

  figures(): StoreFigures {
    const gauge = (help: string, value: number): Figure => ({ kind: 'gauge', help, value });
    return new Map<string, Figure>([
      ['store_memory_spans', gauge('Spans in memory.', this.#spans)],
      ['store_memory_bytes', gauge('Memory that they take.', this.#sizeBytes)],
      ['store_memory_max_spans', gauge('Spans kept at most.', this.#maxSpans)],
      ['store_memory_max_bytes', gauge('Memory that they may take.', this.#maxBytes)],
      ['store_tenants', gauge('Tenants with spans.', this.#tenants.size)],
      [
        'store_memory_evicted_spans_total',
        {
          kind: 'counter',
          help: 'Spans forgotten to make room for newer ones.',
          value: this.#evictedSpans,
        },
      ],
    ]);
  }

  async #addAttributes(
    tenant: Tenant,
    query: AttributeQuery,
    sum: AttributeNameSum | AttributeValueSum,
    options: ReadOptions,
  ): Promise<void> {
    const batches = this.#batchesNow(tenant);
    const kept = new Map<SpanColumns, number[]>();
    await countDerived(batches, options, (columns, rows) => {
      let list = kept.get(columns);
      if (list === undefined) kept.set(columns, (list = []));
      for (let i = 0; i < rows.length; i++) list.push(rows[i]!);
    });
    for (const { batch } of batches) {
      sum.addRows(batch, rowsInWindow(batch, Uint32Array.from(kept.get(batch) ?? []), query));
    }
  }

  async #forEach(
    tenant: Tenant,
    { signal }: ReadOptions,
    visit: (batch: SpanBatch) => void,
  ): Promise<void> {
    const batches = this.#batchesNow(tenant);
    const slice = new Slice(signal);
    await slice.check();
    for (const { batch } of batches) {
      await slice.check();
      visit(batch);
    }
  }

  #checkOpen(): void {
    if (this.#open) return;
    throw new SpoorError('unavailable', 'the store is not open', { retryAfterMs: 1000 });
  }

  /** What a read goes through, to be taken once: batches are joined and evicted while it waits. */
  #batchesNow(tenant: Tenant): readonly StoredBatch[] {
    this.#checkOpen();
    return this.#batchesOf(tenant);
  }

  #batchesOf(tenant: Tenant): readonly StoredBatch[] {
    return this.#tenants.get(tenant) ?? [];
  }

  /**
   * The batch, joined with the last ones of its tenant while these are not much larger. So sizes at least double from the last
   * batch to the first, and each span is copied a dozen times at most.
   */
  #joined(batch: StoredBatch): StoredBatch {
    const maxRows = Math.min(JOINED_ROWS, this.#maxSpans * JOINED_PART);
    const maxBytes = this.#maxBytes * JOINED_PART;
    let joined = batch;
    for (const last of this.#batchesOf(batch.tenant).toReversed()) {
      if (
        last.rows >= joined.rows * 2 ||
        last.rows + joined.rows > maxRows ||
        last.sizeBytes + joined.sizeBytes > maxBytes
      ) {
        break;
      }
      this.#remove(last);
      joined = last.join(joined);
    }
    return joined;
  }

  #add(stored: StoredBatch): void {
    this.#batches.add(stored);
    this.#tenants.set(stored.tenant, [...this.#batchesOf(stored.tenant), stored]);
    this.#spans += stored.rows;
    this.#sizeBytes += stored.sizeBytes;
  }

  #remove(stored: StoredBatch): void {
    this.#batches.delete(stored);
    const rest = this.#batchesOf(stored.tenant).filter((other) => other !== stored);
    if (rest.length === 0) this.#tenants.delete(stored.tenant);
    else this.#tenants.set(stored.tenant, rest);
    this.#spans -= stored.rows;
    this.#sizeBytes -= stored.sizeBytes;
  }
}

type Figure = StoreFigures extends ReadonlyMap<string, infer One> ? One : never;

/** The traces with these ids that some batches have. */
async function* readTraces(
  batches: readonly StoredBatch[],
  ids: readonly TraceId[],
  { signal }: ReadOptions,
): AsyncGenerator<SpanBatch, void, undefined> {
  const slice = new Slice(signal);
  for (const id of ids) {
    await slice.check();
    const parts = batches.flatMap(({ batch: columns, rowsOf }) => {
      const rows = rowsOf.get(id);
      return rows === undefined ? [] : [{ columns, rows }];
    });
    if (parts.length > 0) yield joinTrace(parts);
  }
}

/** Those of the traces that some batches have that a query asks for. */
async function findTraces(
  batches: readonly StoredBatch[],
  query: TraceQuery,
  { signal }: ReadOptions,
): Promise<TracePage> {
  const budget = new PredicateBudget();
  const predicate = compilePredicate(query.where, budget);
  const evaluator = query.having && new TraceEvaluator(query.having, budget);
  const matching = new Map<TraceId, TracePart[]>();
  const slice = new Slice(signal);
  await slice.check();
  for (const { batch, rowsOf } of batches) {
    await slice.check();
    const rows = evaluate(predicate, batch, query);
    if (rows.length === 0) continue;
    const isSelected = new Uint8Array(batch.rows);
    for (const row of rows) isSelected[row] = 1;
    for (const [id, ownRows] of rowsOf) {
      if (ownRows.some((row) => isSelected[row] === 1)) matching.set(id, []);
    }
  }
  for (const { batch: columns, rowsOf } of batches) {
    await slice.check();
    for (const [id, rows] of rowsOf) matching.get(id)?.push({ columns, rows });
  }
  const { order = 'newest' } = query;
  const isByStart = order === 'newest' || order === 'oldest';
  const top = new TopTraces<readonly TracePart[]>(query);
  const summarizer = new TraceSummarizer();
  for (const [traceId, parts] of matching) {
    await slice.check();
    if (isByStart && evaluator === undefined) {
      top.offer({ key: earliestStart(parts), traceId, value: parts });
      continue;
    }
    const trace = orderTrace(parts);
    const summary = summarizer.summarizeRows(trace);
    if (evaluator !== undefined && !evaluator.holds(trace, summary)) continue;
    top.offer({ ...positionOf(order, summary), value: parts });
  }
  const { traces, next } = top.finish();
  return { traces: traces.map(({ value }) => summarizer.summarize(value)), next };
}

/** Counts everything anew that some batches have. */
async function countDerived(
  batches: readonly StoredBatch[],
  { signal }: ReadOptions,
  keep?: KeepRows,
): Promise<DerivedCounts> {
  const slice = new Slice(signal);
  const traces = new Map<TraceId, TracePart[]>();
  for (const { batch: columns, rowsOf } of batches) {
    await slice.check();
    for (const [id, rows] of rowsOf) {
      const parts = traces.get(id);
      if (parts === undefined) traces.set(id, [{ columns, rows }]);
      else parts.push({ columns, rows });
    }
  }
  const counts = new DerivedCounts();
  await slice.check();
  for (const parts of traces.values()) {
    await slice.check();
    counts.addTrace(parts, 0, keep);
  }
  return counts;
}

/** Gives the event loop free now and then, and ends the work when its signal fired. */
class Slice {
  readonly #signal: AbortSignal | undefined;
  #endMs = performance.now() + SLICE_MS;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** @throws {SpoorError} cancelled */
  async check(): Promise<void> {
    if (performance.now() >= this.#endMs) {
      await setImmediate();
      this.#endMs = performance.now() + SLICE_MS;
    }
    if (this.#signal?.aborted === true) {
      throw new SpoorError('cancelled', 'the read was cancelled', { cause: this.#signal.reason });
    }
  }
}

function earliestStart(parts: readonly TracePart[]): bigint {
  let lo = 0xffffffff;
  let hi = 0xffffffff;
  for (const { columns, rows } of parts) {
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      const rowHi = columns.startHi[row]!;
      if (rowHi > hi || (rowHi === hi && columns.startLo[row]! >= lo)) continue;
      hi = rowHi;
      lo = columns.startLo[row]!;
    }
  }
  return uint64(lo, hi);
}
