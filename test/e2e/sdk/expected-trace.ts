// SPDX-License-Identifier: Apache-2.0
import {
  CACHE_ATTRIBUTES,
  LINK_ATTRIBUTES,
  SCOPE_ATTRIBUTES,
  resourceAttributes,
  serverAttributes,
  type CastAttribute,
} from './cast-attribute.ts';
import type { Sdk } from './sdk.ts';

/** What a client says of a trace that it sent. */
export interface SentTrace {
  readonly transport: string;
  readonly traceId: string;
  /** Of the SERVER, CLIENT and INTERNAL span. */
  readonly spanIds: readonly [string, string, string];
  /** Resource attributes that the SDK adds itself, such as `telemetry.sdk.version`. */
  readonly own: Readonly<Record<string, string>>;
}

const LINKED = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const TRACE_STATE = 'vendor=value,other=1';
const DECLINED = 'timeout 超时 after 87 ms';

/** The answer of `GET /api/v3/traces/{id}`: OTLP JSON. @param start of the root span, Unix ns */
export function expectedOtlp(sdk: Sdk, sent: SentTrace, start: bigint): unknown {
  const [serverId, clientId, internalId] = sent.spanIds;
  const { traceId } = sent;
  const at = (nanos: number): string => String(start + BigInt(nanos));
  const common = { traceId, traceState: TRACE_STATE, flags: sdk.spanFlags };
  const link = {
    ...LINKED,
    ...(sdk.linkTraceState ? { traceState: 'linked=yes' } : {}),
    attributes: otlp(LINK_ATTRIBUTES),
    flags: sdk.linkFlags,
  };
  const server = {
    ...common,
    spanId: serverId,
    name: 'GET /bücher/{id} 📚',
    kind: 2,
    startTimeUnixNano: at(0),
    endTimeUnixNano: at(250_000_001),
    attributes: otlp(serverAttributes(sdk.int64)),
    events: [
      {
        timeUnixNano: at(1_000_001),
        name: 'cache miss 未命中',
        attributes: otlp(CACHE_ATTRIBUTES),
      },
      { timeUnixNano: at(249_999_999), name: 'done' },
    ],
    status: {},
  };
  const client = {
    ...common,
    spanId: clientId,
    parentSpanId: serverId,
    name: 'SELECT orders',
    kind: 3,
    startTimeUnixNano: at(2_000_000),
    endTimeUnixNano: at(90_000_003),
    links: [link],
    status: { message: DECLINED, code: 2 },
  };
  const internal = {
    ...common,
    spanId: internalId,
    parentSpanId: serverId,
    name: 'render',
    kind: 1,
    startTimeUnixNano: at(100_000_000),
    endTimeUnixNano: at(200_000_000),
    // Of three events and two links, each SDK was told to keep two and one.
    events: [
      { timeUnixNano: at(150_000_000), name: 'tick' },
      { timeUnixNano: at(150_000_000), name: 'tick' },
    ],
    droppedEventsCount: 1,
    links: [link],
    droppedLinksCount: 1,
    status: { code: 1 },
  };
  const service = { key: 'service.name', value: { stringValue: `cast-${sdk.name}` } };
  const scopeAttributes = sdk.scopeAttributes ? { attributes: otlp(SCOPE_ATTRIBUTES) } : {};
  const resourceSpans = {
    resource: { attributes: [service, ...otlp(resourceAttributes(sent.own))].sort(byKey) },
    schemaUrl: 'https://opentelemetry.io/schemas/1.39.0',
    scopeSpans: [
      {
        scope: { name: 'spoor.cast', version: '1.2.3', ...scopeAttributes },
        schemaUrl: 'https://opentelemetry.io/schemas/1.40.0',
        spans: [server, client],
      },
      { scope: { name: 'spoor.cast.minor' }, spans: [internal] },
    ],
  };
  return { result: { resourceSpans: [resourceSpans] } };
}

/** The answer of `GET /api/traces/{id}`: Jaeger's JSON, which has whole µs only. */
export function expectedJaeger(sdk: Sdk, sent: SentTrace, start: bigint): unknown {
  const [serverId, clientId, internalId] = sent.spanIds;
  const { traceId } = sent;
  const at = (nanos: number): number => Number((start + BigInt(nanos)) / 1000n);
  const common = {
    traceID: traceId,
    ...(sdk.spanFlags % 2 === 1 ? { flags: 1 } : {}),
    processID: 'p1',
    warnings: null,
  };
  const state = stringTag('w3c.tracestate', TRACE_STATE);
  const scope = [
    stringTag('otel.scope.name', 'spoor.cast'),
    stringTag('otel.scope.version', '1.2.3'),
  ];
  const parent = { refType: 'CHILD_OF', traceID: traceId, spanID: serverId };
  const linked = { refType: 'FOLLOWS_FROM', traceID: LINKED.traceId, spanID: LINKED.spanId };
  const tick = { timestamp: at(150_000_000), fields: [stringTag('event', 'tick')] };
  const server = {
    ...common,
    spanID: serverId,
    operationName: 'GET /bücher/{id} 📚',
    references: [],
    startTime: at(0),
    duration: 250_000,
    tags: [
      ...scope,
      ...jaeger(serverAttributes(sdk.int64)),
      stringTag('span.kind', 'server'),
      state,
    ].sort(byKey),
    logs: [
      {
        timestamp: at(1_000_001),
        fields: [stringTag('event', 'cache miss 未命中'), ...jaeger(CACHE_ATTRIBUTES)].sort(byKey),
      },
      { timestamp: at(249_999_999), fields: [stringTag('event', 'done')] },
    ],
  };
  const client = {
    ...common,
    spanID: clientId,
    operationName: 'SELECT orders',
    references: [parent, linked],
    startTime: at(2_000_000),
    duration: 88_000,
    tags: [
      ...scope,
      stringTag('span.kind', 'client'),
      stringTag('otel.status_code', 'ERROR'),
      { key: 'error', type: 'bool', value: true },
      stringTag('otel.status_description', DECLINED),
      state,
    ].sort(byKey),
    logs: [],
  };
  const internal = {
    ...common,
    spanID: internalId,
    operationName: 'render',
    references: [parent, linked],
    startTime: at(100_000_000),
    duration: 100_000,
    tags: [
      stringTag('otel.scope.name', 'spoor.cast.minor'),
      stringTag('span.kind', 'internal'),
      stringTag('otel.status_code', 'OK'),
      state,
    ].sort(byKey),
    logs: [tick, tick],
  };
  const process = {
    serviceName: `cast-${sdk.name}`,
    tags: jaeger(resourceAttributes(sent.own)).sort(byKey),
  };
  const trace = {
    traceID: traceId,
    spans: [server, client, internal],
    processes: { p1: process },
    warnings: null,
  };
  return { data: [trace], total: 0, limit: 0, offset: 0, errors: null };
}

interface Keyed {
  readonly key: string;
}

function byKey(a: Keyed, b: Keyed): number {
  return a.key < b.key ? -1 : 1;
}

function otlp(attributes: readonly CastAttribute[]): (Keyed & { value: unknown })[] {
  return attributes.map(({ key, otlp: value }) => ({ key, value })).sort(byKey);
}

function jaeger(attributes: readonly CastAttribute[]): (Keyed & { type: string })[] {
  return attributes.map((attribute) => ({ key: attribute.key, ...attribute.jaeger }));
}

function stringTag(key: string, value: string): Keyed & { type: string; value: string } {
  return { key, type: 'string', value };
}

/** Members of an answer that are sets to OpenTelemetry: SDKs send them in any order. */
const SETS = new Set(['attributes', 'tags', 'fields']);

/** An answer with its attributes in the order of their keys. */
export function withSortedAttributes(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer), (name, value: unknown) =>
    // Entries of these have a key, which the comparison would miss otherwise.
    SETS.has(name) && Array.isArray(value) ? (value as Keyed[]).toSorted(byKey) : value,
  );
}
