// SPDX-License-Identifier: Apache-2.0
import type { AttributeValue } from '@spoor/core/model/attributes.ts';
import type { Tenant, TraceId } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import type { Operation } from '@spoor/core/query/operation-list.ts';
import { meets } from '@spoor/core/query/testing/naive-predicate.ts';
import { rootOf, traceMeets } from '@spoor/core/query/testing/naive-trace-predicate.ts';
import type {
  SpanPredicate,
  TracePage,
  TracePosition,
  TraceQuery,
  TraceSummary,
} from '@spoor/core/query/trace-query.ts';
import {
  type NaiveCount,
  naiveCalls,
  naiveSpans,
} from '@spoor/core/analysis/testing/naive-derived.ts';
import type {
  AttributeName,
  AttributeQuery,
  AttributeScope,
  AttributeText,
  AttributeValuesQuery,
  Dependency,
  MinuteMetrics,
  DependencyQuery,
  SpanMetrics,
  SpanMetricsQuery,
} from '#storage/tracestore.ts';

/** A trace of the oracle. */
interface Trace {
  /** By start, then span id, then text. */
  readonly spans: Span[];
  readonly summary: TraceSummary;
}

/**
 * What a store must answer, worked out from a list of plain spans in the simplest way. It shares no code with any store, so
 * that the two can be compared.
 */
export class TraceOracle {
  /** Spans by tenant and by all that they hold, so copies fall together. */
  readonly #spans = new Map<Tenant, Map<string, Span>>();
  /** The traces of a tenant, sorted and summed up, until something changes. */
  readonly #traces = new Map<Tenant, Map<TraceId, Trace>>();

  write(tenant: Tenant, spans: readonly Span[]): void {
    this.#traces.delete(tenant);
    const known = this.#spans.get(tenant) ?? new Map<string, Span>();
    for (const span of spans) known.set(spanText(span), span);
    this.#spans.set(tenant, known);
  }

  /** Removes the spans that meet a predicate. */
  delete(tenant: Tenant, where: SpanPredicate): void {
    this.#traces.delete(tenant);
    const known = this.#spans.get(tenant);
    for (const [text, span] of known ?? []) if (meets(span, where)) known!.delete(text);
  }

  /** Spans of a trace by start, then span id, then text. */
  getTrace(tenant: Tenant, id: TraceId): Span[] {
    return this.#tracesOf(tenant).get(id)?.spans ?? [];
  }

  findTraces(tenant: Tenant, query: TraceQuery): TracePage {
    const { order = 'newest', after, having, limit } = query;
    const matching = new Set<TraceId>();
    for (const span of this.#all(tenant)) {
      const start = span.startTimeUnixNano;
      if (start < query.startMinUnixNano || start >= query.startMaxUnixNano) continue;
      if (meets(span, query.where)) matching.add(span.traceId);
    }
    const sign = order === 'oldest' || order === 'shortest' ? 1 : -1;
    const compareKeys = (a: TracePosition, b: TracePosition): number =>
      a.key === b.key ? compare(a.traceId, b.traceId) : a.key < b.key ? -sign : sign;
    const found = [...matching]
      .map((id) => this.#tracesOf(tenant).get(id)!)
      .filter(({ spans }) => having === undefined || traceMeets(spans, having))
      .map(({ summary }) => ({ summary, traceId: summary.traceId, key: keyOf(order, summary) }))
      .filter((one) => after === undefined || compareKeys(one, after) > 0)
      .sort(compareKeys);
    const last = found[limit - 1];
    return {
      traces: found.slice(0, limit).map(({ summary }) => summary),
      next: found.length > limit ? { key: last!.key, traceId: last!.traceId } : undefined,
    };
  }

  getServices(tenant: Tenant): string[] {
    const names = new Set(this.#all(tenant).map((span) => span.resource.serviceName));
    return [...names].sort(byCodePoint);
  }

  getOperations(tenant: Tenant, service: string): Operation[] {
    const found = new Map<string, Operation>();
    for (const { resource, name, kind } of this.#all(tenant)) {
      if (resource.serviceName === service) found.set(`${kind} ${name}`, { name, kind });
    }
    return [...found.values()].sort((a, b) => byCodePoint(a.name, b.name) || a.kind - b.kind);
  }

  getDependencies(
    tenant: Tenant,
    { fromMinute, toMinute, noInferred = false }: DependencyQuery,
  ): Dependency[] {
    const calls = naiveCalls(this.#all(tenant)).filter(
      ({ minute, isInferred }) =>
        minute >= fromMinute && minute < toMinute && !(noInferred && isInferred),
    );
    const edges = Map.groupBy(calls, ({ caller, callee, kind, isInferred }) =>
      JSON.stringify([caller, callee, kind, isInferred]),
    );
    return [...edges.values()]
      .map((same): Dependency => {
        const { caller, callee, kind, isInferred } = same[0]!;
        return { caller, callee, kind, isInferred, ...countUp(same) };
      })
      .sort(
        (a, b) =>
          byCodePoint(a.caller, b.caller) ||
          byCodePoint(a.callee, b.callee) ||
          byCodePoint(a.kind, b.kind) ||
          (a.isInferred ? 1 : 0) - (b.isInferred ? 1 : 0),
      );
  }

  getSpanMetrics(tenant: Tenant, query: SpanMetricsQuery): SpanMetrics[] {
    const spans = naiveSpans(this.#all(tenant)).filter(
      ({ service, kind, minute }) =>
        query.services.includes(service) &&
        query.kinds.includes(kind) &&
        minute >= query.fromMinute &&
        minute < query.toMinute,
    );
    const series = Map.groupBy(spans, ({ service, operation }) =>
      JSON.stringify([service, query.byOperation ? operation : '']),
    );
    return [...series.values()]
      .map((same) => ({
        service: same[0]!.service,
        operation: query.byOperation ? same[0]!.operation : '',
        minutes: byMinute(same),
      }))
      .sort((a, b) => byCodePoint(a.service, b.service) || byCodePoint(a.operation, b.operation));
  }

  getAttributeNames(tenant: Tenant, query: AttributeQuery): AttributeName[] {
    return this.#attributes(tenant, query)
      .filter(({ name }) => name.startsWith(query.prefix))
      .reduce((list: AttributeName[], { scope, name }) => {
        const same = list.findIndex((one) => one.scope === scope && one.name === name);
        if (same < 0) return [...list, { scope, name, count: 1 }];
        return list.with(same, { scope, name, count: list[same]!.count + 1 });
      }, [])
      .sort(
        (a, b) => b.count - a.count || byCodePoint(`${a.name} ${a.scope}`, `${b.name} ${b.scope}`),
      )
      .slice(0, query.limit);
  }

  getAttributeValues(tenant: Tenant, query: AttributeValuesQuery): AttributeText[] {
    const found = new Map<string, AttributeText>();
    for (const { scope, name, value } of this.#attributes(tenant, query)) {
      if (scope !== query.scope || name !== query.name) continue;
      const { type } = value;
      if (type !== 'string' && type !== 'int' && type !== 'double' && type !== 'bool') continue;
      const text = `${value.value}`;
      if (!text.startsWith(query.prefix)) continue;
      const count = (found.get(`${type} ${text}`)?.count ?? 0) + 1;
      found.set(`${type} ${text}`, { value: text, type, count });
    }
    return [...found.values()]
      .sort(
        (a, b) => b.count - a.count || byCodePoint(`${a.value} ${a.type}`, `${b.value} ${b.type}`),
      )
      .slice(0, query.limit);
  }

  #attributes(
    tenant: Tenant,
    { startMinUnixNano, startMaxUnixNano }: AttributeQuery,
  ): { scope: AttributeScope; name: string; value: AttributeValue }[] {
    return this.#all(tenant)
      .filter(
        ({ startTimeUnixNano: start }) => start >= startMinUnixNano && start < startMaxUnixNano,
      )
      .flatMap((span) => [
        ...span.attributes.map(({ key, value }) => ({ scope: 'span' as const, name: key, value })),
        ...span.resource.attributes.map(({ key, value }) => ({
          scope: 'resource' as const,
          name: key,
          value,
        })),
      ]);
  }

  #tracesOf(tenant: Tenant): Map<TraceId, Trace> {
    let traces = this.#traces.get(tenant);
    if (traces === undefined) {
      const groups = Map.groupBy(this.#all(tenant), ({ traceId }) => traceId);
      traces = new Map(
        [...groups].map(([id, group]) => {
          const spans = group.sort(bySpan);
          return [id, { spans, summary: summarize(spans) }];
        }),
      );
      this.#traces.set(tenant, traces);
    }
    return traces;
  }

  #all(tenant: Tenant): Span[] {
    return [...(this.#spans.get(tenant)?.values() ?? [])];
  }
}

/** All that a span holds as a text: equal spans have equal texts, whatever the order of their properties. */
export function spanText(span: Span): string {
  return plainText(span);
}

/** By start, then span id, then {@link spanText}. */
export function bySpan(a: Span, b: Span): number {
  const difference = a.startTimeUnixNano - b.startTimeUnixNano;
  if (difference !== 0n) return difference < 0n ? -1 : 1;
  return compare(a.spanId, b.spanId) || compare(spanText(a), spanText(b));
}

function countUp(counted: readonly NaiveCount[]): Pick<Dependency, 'calls' | 'errors' | 'latency'> {
  const latency = new Map<number, number>();
  for (const { bucket } of counted) latency.set(bucket, (latency.get(bucket) ?? 0) + 1);
  return {
    calls: counted.length,
    errors: counted.filter(({ isError }) => isError).length,
    latency: {
      bucket: Uint32Array.from(latency.keys()).sort(),
      count: Float64Array.from(
        [...latency].sort(([a], [b]) => a - b),
        ([, count]) => count,
      ),
    },
  };
}

function byMinute(counted: readonly NaiveCount[]): MinuteMetrics {
  const minutes = [...Map.groupBy(counted, ({ minute }) => minute)]
    .map(([minute, same]) => ({ minute, ...countUp(same) }))
    .sort((a, b) => a.minute - b.minute);
  const start = [0];
  for (const { latency } of minutes) start.push(start.at(-1)! + latency.bucket.length);
  return {
    minute: Uint32Array.from(minutes, ({ minute }) => minute),
    calls: Float64Array.from(minutes, ({ calls }) => calls),
    errors: Float64Array.from(minutes, ({ errors }) => errors),
    start: Uint32Array.from(start),
    latency: {
      bucket: Uint32Array.from(minutes.flatMap(({ latency }) => [...latency.bucket])),
      count: Float64Array.from(minutes.flatMap(({ latency }) => [...latency.count])),
    },
  };
}

function summarize(spans: readonly Span[]): TraceSummary {
  const isError = (span: Span): boolean => span.status?.code === 2;
  const root = rootOf(spans);
  const starts = spans.map((span) => span.startTimeUnixNano);
  const ends = spans.map((span) => span.endTimeUnixNano);
  const names = new Set(spans.map((span) => span.resource.serviceName));
  return {
    traceId: spans[0]!.traceId,
    startTimeUnixNano: starts.reduce((a, b) => (a < b ? a : b)),
    endTimeUnixNano: ends.reduce((a, b) => (a > b ? a : b)),
    spanCount: spans.length,
    errorCount: spans.filter(isError).length,
    rootServiceName: root?.resource.serviceName ?? '',
    rootSpanName: root?.name ?? '',
    rootSpanId: root?.spanId ?? '',
    services: [...names].sort(byCodePoint).map((name) => {
      const own = spans.filter((span) => span.resource.serviceName === name);
      return { name, spanCount: own.length, errorCount: own.filter(isError).length };
    }),
  };
}

function keyOf(order: string, summary: TraceSummary): bigint {
  if (order === 'most_spans') return BigInt(summary.spanCount);
  if (order === 'most_errors') return BigInt(summary.errorCount);
  const { startTimeUnixNano: start, endTimeUnixNano: end } = summary;
  return order === 'newest' || order === 'oldest' ? start : end - start;
}

function plainText(value: unknown): string {
  if (value === undefined) return 'undefined';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (value instanceof Uint8Array) return `bytes ${value.toHex()}`;
  if (Array.isArray(value)) return `[${value.map(plainText).join()}]`;
  const entries = Object.entries(value).sort(([a], [b]) => compare(a, b));
  return `{${entries.map(([key, one]) => `${key}:${plainText(one)}`).join()}}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
