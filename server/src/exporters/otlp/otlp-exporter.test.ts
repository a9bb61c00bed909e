// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { SpanReader } from '@spoor/core/model/span-reader.ts';
import { span, spanId, traceId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { decodeProto } from '@spoor/core/wire/otlp/testing/oracle.ts';
import { startGrpc, startHttp } from '#receivers/testing/receiver-test-bed.ts';
import { createOtlpExporter, type OtlpExporterSettings } from './otlp-exporter.ts';

const LOG = { info: () => undefined, warn: () => undefined, error: () => undefined };
const SPANS = Array.from({ length: 20 }, (_, i) =>
  span({ spanId: spanId(i + 1), name: `op ${i}` }),
);

function settings(port: number, given: Partial<OtlpExporterSettings> = {}): OtlpExporterSettings {
  return {
    path: 'exporters.otlp',
    protocol: {
      name: 'grpc',
      headers: {},
      tenantHeader: undefined,
      compression: 'gzip',
      timeoutMs: 10_000,
    },
    servers: [{ host: 'localhost', port, path: '/v1/traces', isPlain: true }],
    tls: undefined,
    resolveIntervalMs: 60_000,
    routing: 'round_robin',
    breaker: { failureThreshold: 5, openMs: 10, maxOpenMs: 10 },
    retry: { initialIntervalMs: 5, maxIntervalMs: 20, multiplier: 2, maxElapsedTimeMs: 60_000 },
    queue: { storage: 'none', capacityBytes: 1 << 20, maxUnderWay: 4, directory: '' },
    maxRequestBytes: 1 << 20,
    ...given,
  };
}

const HTTP: Partial<OtlpExporterSettings> = {
  protocol: {
    name: 'http',
    headers: {},
    tenantHeader: undefined,
    compression: 'zstd',
    timeoutMs: 10_000,
  },
};

function spansIn(body: Uint8Array): Span[] {
  const batch = decodeProto(body);
  const reader = new SpanReader(batch);
  return Array.from({ length: batch.rows }, (_, row) => reader.read(row));
}

test('a write is done when a server has taken its spans, over gRPC and over HTTP', async () => {
  await using grpc = await startGrpc();
  await using http = await startHttp();
  for (const [bed, given] of [
    [grpc, {}],
    [http, HTTP],
  ] as const) {
    const exporter = createOtlpExporter(settings(bed.port, given), LOG);
    await exporter.start();
    await exporter.write(DEFAULT_TENANT, batchOf(SPANS));
    assert.deepEqual(spansIn(bed.ingest.calls[0]!.body), SPANS);
    await exporter.shutdown(1000);
    await assert.rejects(exporter.write(DEFAULT_TENANT, batchOf(SPANS)), SpoorError);
  }
});

test('a batch of more requests than are sent at the same time is taken by a server at rest', async () => {
  await using bed = await startGrpc();
  const exporter = createOtlpExporter(settings(bed.port, { maxRequestBytes: 300 }), LOG);
  await exporter.start();
  await exporter.write(DEFAULT_TENANT, batchOf(SPANS));
  assert.ok(bed.ingest.calls.length > 4);
  assert.equal(bed.ingest.calls.flatMap(({ body }) => spansIn(body)).length, SPANS.length);
  await exporter.shutdown(1000);
});

test('overload goes up to who writes, as a refusal with a hint', async () => {
  await using bed = await startGrpc();
  const exporter = createOtlpExporter(settings(bed.port), LOG);
  await exporter.start();
  bed.ingest.answer = () => {
    throw new SpoorError('overloaded', 'no room now', { retryAfterMs: 2000 });
  };
  await assert.rejects(
    exporter.write(DEFAULT_TENANT, batchOf(SPANS)),
    (error) => error instanceof SpoorError && error.retryable && error.retryAfterMs === 2000,
  );
  assert.equal(bed.ingest.calls.length, 1);
  await exporter.shutdown(1000);
});

test('with room to wait a write lasts until the server is well again', async () => {
  await using bed = await startGrpc();
  const queue = {
    storage: 'memory',
    capacityBytes: 1 << 20,
    maxUnderWay: 4,
    directory: '',
  } as const;
  const exporter = createOtlpExporter(settings(bed.port, { queue }), LOG);
  await exporter.start();
  let left = 3;
  bed.ingest.answer = () => {
    if (left-- > 0) throw new SpoorError('overloaded', 'no room now', { retryAfterMs: 1 });
    return { accepted: 20, rejected: 0, message: '' };
  };
  await exporter.write(DEFAULT_TENANT, batchOf(SPANS));
  assert.equal(bed.ingest.calls.length, 4);
  for (const { body } of bed.ingest.calls) assert.deepEqual(body, bed.ingest.calls[0]!.body);
  await exporter.shutdown(1000);
});

test('with a queue on disk a write is done without a server, and the spans reach it after a restart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'spoor-queue-'));
  const queue = { storage: 'disk', capacityBytes: 1 << 20, maxUnderWay: 4, directory } as const;
  const before = await startGrpc();
  await before[Symbol.asyncDispose]();
  const first = createOtlpExporter(settings(before.port, { queue }), LOG);
  await first.start();
  await first.write(DEFAULT_TENANT, batchOf(SPANS));
  await first.shutdown(0);

  await using bed = await startGrpc();
  const second = createOtlpExporter(settings(bed.port, { queue, retry: undefined }), LOG);
  await second.start();
  await bed.ingest.called(1);
  await second.shutdown(5000);
  assert.deepEqual(spansIn(bed.ingest.calls[0]!.body), SPANS);
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.endsWith('.queue')),
    [],
  );
  rmSync(directory, { recursive: true });
});

test('a queue whose directory cannot be made is told at the start', async () => {
  const queue = {
    storage: 'disk',
    capacityBytes: 1 << 20,
    maxUnderWay: 4,
    directory: '/dev/null/queue',
  } as const;
  const exporter = createOtlpExporter(settings(4317, { queue }), LOG);
  await assert.rejects(
    exporter.start(),
    /exporters\.otlp: the queue in \/dev\/null\/queue cannot be opened/,
  );
  await exporter.shutdown(1000);
});

test('by trace id all spans of a trace are at one server, at the other while that one is away, and back', async () => {
  const lasting = await startHttp();
  let other = await startHttp();
  const { port } = other;
  const queue = {
    storage: 'memory',
    capacityBytes: 1 << 20,
    maxUnderWay: 4,
    directory: '',
  } as const;
  const server = { host: '127.0.0.1', path: '/v1/traces', isPlain: true };
  const exporter = createOtlpExporter(
    settings(port, {
      ...HTTP,
      queue,
      routing: 'trace_id',
      servers: [lasting.port, port].map((one) => ({ ...server, port: one })),
    }),
    LOG,
  );
  await exporter.start();
  /** Traces that each server got of a batch of 40, of which both have some. */
  const round = async (): Promise<[lasting: Set<string>, other: Set<string>]> => {
    lasting.ingest.calls.length = 0;
    other.ingest.calls.length = 0;
    const spans = Array.from({ length: 120 }, (_, i) =>
      span({ traceId: traceId(1 + (i % 40)), spanId: spanId(i + 1) }),
    );
    await exporter.write(DEFAULT_TENANT, batchOf(spans));
    const traces = (calls: typeof lasting.ingest.calls): Set<string> =>
      new Set(calls.flatMap(({ body }) => spansIn(body).map((one) => one.traceId)));
    return [traces(lasting.ingest.calls), traces(other.ingest.calls)];
  };
  const before = await round();
  assert.ok(before[0].size > 5 && before[1].size > 5);
  assert.equal(before[0].size + before[1].size, 40);
  await other[Symbol.asyncDispose]();
  const [during] = await round();
  assert.equal(during.size, 40);
  other = await startHttp({ port });
  let after = await round();
  // One of the first requests is the try that closes the breaker.
  while (after[1].size < before[1].size) after = await round();
  assert.deepEqual(after, before);
  await exporter.shutdown(1000);
  await lasting[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});
