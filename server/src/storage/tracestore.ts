// SPDX-License-Identifier: Apache-2.0
import type { EDGE_KIND_NAMES } from '@spoor/core/analysis/edge-kind.ts';
import type { Tenant, TraceId } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { Operation } from '@spoor/core/query/operation-list.ts';
import type { TracePage, TracePosition, TraceQuery } from '@spoor/core/query/trace-query.ts';

/** One request whose spans are in a batch; stored with it, so that a resent body is known after a restart. */
export interface RequestRecord {
  /** 16 bytes over tenant and body. */
  readonly digest: Uint8Array;
  readonly accepted: number;
  readonly rejected: number;
  readonly message: string;
}

/** A request that the store knows, with when it was written. */
export interface StoredRequest extends RequestRecord {
  readonly tenant: Tenant;
  readonly writtenUnixMs: number;
}

/**
 * Takes spans.
 *
 * `write` resolves when every span of the batch is durable and can be found by all reads that begin
 * afterwards. It takes over the batch: the caller must not use it again, but the store never changes it.
 * Copies of a span (same tenant, ids and content) may be written any number of times and are read once.
 * Writes may overlap; the store groups them.
 * @throws {SpoorError} overloaded or unavailable: the batch was refused, and no read finds it; but after a write or a sync that failed the
 * next start may find it on the disk all the same, so that whoever sends it again may send a copy. too_large: it can never be kept.
 */
export interface TraceWriter {
  write(tenant: Tenant, batch: SpanBatch, requests?: readonly RequestRecord[]): Promise<void>;
  /** Requests of the last 15 minutes found on disk at the start, given once; a store that keeps none returns []. */
  recentRequests(): readonly StoredRequest[];
}

/** Unix minutes `[fromMinute, toMinute)`. */
export interface MinuteRange {
  readonly fromMinute: number;
  readonly toMinute: number;
}

/** Which calls between services are counted. */
export interface DependencyQuery extends MinuteRange {
  /** Leaves out those of services that sent no spans. */
  readonly noInferred?: boolean;
}

/** Counts by latency bucket (see `latencyBucket`), ascending by bucket, none of them zero. */
export interface LatencyCounts {
  readonly bucket: Uint32Array;
  readonly count: Float64Array;
}

/** Calls of one service by another; see `EdgeFinder` for what a call is. */
export interface Dependency {
  readonly caller: string;
  readonly callee: string;
  readonly kind: (typeof EDGE_KIND_NAMES)[number];
  /** The callee sent no spans: client spans of the caller name it. */
  readonly isInferred: boolean;
  readonly calls: number;
  /** Those of the calls whose span has status ERROR. */
  readonly errors: number;
  /** Of the called spans; of the client spans where the callee is inferred. */
  readonly latency: LatencyCounts;
}

/** Which spans are counted, and how. */
export interface SpanMetricsQuery extends MinuteRange {
  /** Names of services; empty for none. */
  readonly services: readonly string[];
  /** `SpanKind` numbers; 0 also stands for numbers without a meaning. */
  readonly kinds: readonly number[];
  /** Whether operations of a service are told apart. */
  readonly byOperation: boolean;
}

/** What was counted by the minute: an entry for each minute, ascending, without those that have no span. */
export interface MinuteMetrics {
  /** Unix minutes. */
  readonly minute: Uint32Array;
  readonly calls: Float64Array;
  /** Those with status ERROR. */
  readonly errors: Float64Array;
  /** Where each minute begins in `latency`; one more for the end. */
  readonly start: Uint32Array;
  /** Of one minute after the other. */
  readonly latency: LatencyCounts;
}

/** Spans of a service, or of one of its operations, by the minute in which they start. */
export interface SpanMetrics {
  readonly service: string;
  /** Empty where operations are not told apart. */
  readonly operation: string;
  readonly minutes: MinuteMetrics;
}

/** Whether an attribute stands at a span or at the resource of spans. */
export type AttributeScope = 'span' | 'resource';

/** What is listed for completion. */
export interface AttributeQuery {
  /** Starts of spans `[min, max)`; it is rounded outwards, see {@link AttributeCounts}. */
  readonly startMinUnixNano: bigint;
  readonly startMaxUnixNano: bigint;
  /** What the names, or values, begin with. */
  readonly prefix: string;
  /** Entries at most. */
  readonly limit: number;
}

/** The same for the values of one attribute. */
export interface AttributeValuesQuery extends AttributeQuery {
  readonly scope: AttributeScope;
  readonly name: string;
}

/** The name of an attribute. */
export interface AttributeName {
  readonly scope: AttributeScope;
  readonly name: string;
  /** Spans that have it; twice for one that has it twice. */
  readonly count: number;
}

/** A value of an attribute, as text. Arrays, lists and bytes are not listed. */
export interface AttributeText {
  readonly value: string;
  readonly type: 'string' | 'int' | 'double' | 'bool';
  readonly count: number;
}

/** Entries, the most frequent first, then by code point. */
export interface AttributeCounts<Entry> {
  readonly entries: readonly Entry[];
  /** There are no others. */
  readonly isComplete: boolean;
  /** Starts of the spans that were counted: at least what was asked for. */
  readonly startMinUnixNano: bigint;
  readonly startMaxUnixNano: bigint;
}

/** Spans that are stored and cannot be read, so that answers are made without them. */
export interface UnreadableSpans {
  readonly blocks: number;
  readonly spans: number;
  /** Bounds of their starts, both inclusive. */
  readonly startMinUnixNano: bigint;
  readonly startMaxUnixNano: bigint;
}

/** Options of every read. */
export interface ReadOptions {
  /** Ends the work early; the read then rejects with code `cancelled`. */
  readonly signal?: AbortSignal;
}

/** Traces that were found, with all of their spans. */
export interface WholeTraces {
  /** One a trace, as of {@link TraceReader.getTraces}, best first; a trace that is deleted while they are read is left out. */
  readonly batches: AsyncIterable<SpanBatch>;
  /** As of a {@link TracePage}. */
  readonly next: TracePosition | undefined;
}

/**
 * Answers questions. An answer is exact: the same whatever was sealed, merged, restarted, reordered or resent; but for what
 * {@link TraceReader.unreadable} tells of.
 * @throws {SpoorError} cancelled; corrupt when nothing can be read at all.
 */
export interface TraceReader {
  /**
   * The traces with these ids, in the order asked for, one batch a trace, never empty; unknown ids are left out.
   * Spans of a trace come from all parts, copies collapsed, ordered by start, then span id.
   */
  getTraces(
    tenant: Tenant,
    ids: readonly TraceId[],
    options?: ReadOptions,
  ): AsyncIterable<SpanBatch>;
  /** See {@link TraceQuery} for what matches, in which order, and for pages. */
  findTraces(tenant: Tenant, query: TraceQuery, options?: ReadOptions): Promise<TracePage>;
  /** As {@link findTraces} and {@link getTraces} of what it found. */
  findWholeTraces(tenant: Tenant, query: TraceQuery, options?: ReadOptions): Promise<WholeTraces>;
  /** Names of all services that have spans, by code point; an empty one where spans name none. */
  getServices(tenant: Tenant, options?: ReadOptions): Promise<string[]>;
  /**
   * Distinct (name, kind) of a service's spans, by name, then kind: as of the moment when it resolves, to be gone through once. There may
   * be hundreds of thousands, and each is made when it is its turn.
   */
  getOperations(
    tenant: Tenant,
    service: string,
    options?: ReadOptions,
  ): Promise<Iterable<Operation>>;
  /**
   * Calls between services whose called span starts in these minutes: by caller, callee, kind, and the inferred after the others.
   * A call counts once, also when its spans came in different requests or were sent again. To be gone through once, as there may be
   * tens of thousands.
   * @throws {SpoorError} invalid_argument: there is more than is summed up for one answer
   */
  getDependencies(
    tenant: Tenant,
    query: DependencyQuery,
    options?: ReadOptions,
  ): Promise<Iterable<Dependency>>;
  /**
   * Rates, errors and latencies of services: by service, then operation; without those that have no span. Copies count once. To be gone
   * through once: there may be a hundred thousand, and each is made when it is its turn.
   * @throws {SpoorError} invalid_argument: there is more than is summed up for one answer
   */
  getSpanMetrics(
    tenant: Tenant,
    query: SpanMetricsQuery,
    options?: ReadOptions,
  ): Promise<Iterable<SpanMetrics>>;
  /** Names of attributes with the number of spans that have them. Copies count once. */
  getAttributeNames(
    tenant: Tenant,
    query: AttributeQuery,
    options?: ReadOptions,
  ): Promise<AttributeCounts<AttributeName>>;
  /** Values of an attribute with the number of spans that have them. Copies count once. */
  getAttributeValues(
    tenant: Tenant,
    query: AttributeValuesQuery,
    options?: ReadOptions,
  ): Promise<AttributeCounts<AttributeText>>;
  /** What answers leave out that ended by now; undefined when they leave out nothing. */
  unreadable(tenant: Tenant): UnreadableSpans | undefined;
}

/** Figures of a store for `/metrics` and `/status`, by metric name without prefix; each a gauge or a counter. */
export type StoreFigures = ReadonlyMap<
  string,
  { readonly kind: 'gauge' | 'counter'; readonly help: string; readonly value: number }
>;

/** A file of a store that was found damaged. Everything else is answered. */
export interface StoreDamage {
  readonly path: string;
  /** What is wrong, and what of the data it takes away. */
  readonly message: string;
}

/**
 * A store for traces: memory, columnar, and later clusters. Every call takes a tenant.
 *
 * `start` opens it and resolves when it can be used; it refuses data of a newer format and a directory
 * that another process holds, and touches nothing then. `shutdown` makes everything acknowledged
 * durable, frees what is held, and may be called before `start` and more than once.
 */
export interface TraceStore extends TraceWriter, TraceReader {
  start(): Promise<void>;
  shutdown(): Promise<void>;
  /** Undefined while healthy; otherwise why no more can be written. */
  readonly unhealthy: string | undefined;
  /** What was found damaged since the start, in the order in which it was found; the first 100. */
  readonly damage: readonly StoreDamage[];
  figures(): StoreFigures;
}
