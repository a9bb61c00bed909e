// SPDX-License-Identifier: Apache-2.0
// What the OpenTelemetry collector exports, with its own exporters.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { expectedView, viewOf, type JaegerTrace } from './clients/trace-view.ts';
import { expectedJaeger, expectedOtlp, withSortedAttributes } from './sdk/expected-trace.ts';
import { GO, SDKS, runWithTools, whySkipped, type Sdk } from './sdk/sdk.ts';
import { SpoorProcess } from './spoor-process.ts';

const skip = whySkipped(GO);
const FOLDER = join(import.meta.dirname, 'clients', 'collector');

/** Settings of an exporter beside its defaults; the time is for a busy machine. */
const SETTINGS = { timeout: '60s', tls: { insecure: true } };

/** A collector passes on all that any SDK sends. */
const CAST: Sdk = { ...SDKS.find(({ name }) => name === 'go')!, linkTraceState: true };
const SPAN_IDS = ['1'.repeat(16), '2'.repeat(16), '3'.repeat(16)] as const;

let server: SpoorProcess;
before(async () => {
  server = await SpoorProcess.start();
});
after(() => server[Symbol.asyncDispose]());

/** An exporter of the collector, and what it is given. */
interface Sending {
  readonly exporter: 'otlp' | 'otlphttp' | 'zipkin';
  readonly settings: Readonly<Record<string, unknown>>;
  /** OTLP JSON. */
  readonly request: unknown;
}

/** Resolves when the exporters have sent everything. */
async function sendAll(sendings: readonly Sending[]): Promise<void> {
  await runWithTools(GO, FOLDER, {
    file: 'main.go',
    text: readFileSync(join(FOLDER, 'main.go'), 'utf8'),
    args: sendings.map((sending) =>
      JSON.stringify({ ...sending, settings: { ...SETTINGS, ...sending.settings } }),
    ),
  });
}

async function answer(path: string): Promise<unknown> {
  const response = await server.query(path);
  assert.equal(response.status, 200, path);
  return await response.json();
}

test('what the OTLP exporters of the collector send is read back exactly', { skip }, async () => {
  const grpc = { exporter: 'otlp', endpoint: server.otlpGrpcAddress } as const;
  const http = { exporter: 'otlphttp', endpoint: server.otlpHttpUrl } as const;
  const cases = [
    grpc,
    { ...grpc, compression: 'zstd' },
    http,
    { ...http, compression: 'zstd' },
    { ...http, encoding: 'json' },
  ];
  // Nanoseconds that neither ms nor µs nor a double can hold.
  const start = BigInt(Date.now() - 1000) * 1_000_000n + 123_457n;
  const traces = cases.map(({ exporter, ...settings }, i) => ({
    exporter,
    settings,
    sent: {
      transport: exporter,
      traceId: String(i + 1).padStart(32, 'a'),
      spanIds: SPAN_IDS,
      own: {},
    },
  }));
  await sendAll(
    traces.map(({ exporter, settings, sent }) => {
      // The answer of the API is OTLP, so it is what is sent as well.
      const { result } = expectedOtlp(CAST, sent, start) as { result: unknown };
      return { exporter, settings, request: result };
    }),
  );
  for (const { settings, sent } of traces) {
    for (const [path, wanted] of [
      [`/api/v3/traces/${sent.traceId}`, expectedOtlp(CAST, sent, start)],
      [`/api/traces/${sent.traceId}`, expectedJaeger(CAST, sent, start)],
    ] as const) {
      assert.deepEqual(
        withSortedAttributes(await answer(path)),
        wanted,
        `${sent.transport} ${JSON.stringify(settings)}`,
      );
    }
  }
});

/** The trace of the older clients as OTLP JSON, without the link that Zipkin has no place for. */
function olderTrace(traceId: string): unknown {
  const micros = BigInt(Date.now() - 1000) * 1000n;
  const at = (offset: bigint): string => String((micros + offset) * 1000n);
  const text = (key: string, stringValue: string): unknown => ({ key, value: { stringValue } });
  const [rootId, childId] = SPAN_IDS;
  const root = {
    traceId,
    spanId: rootId,
    name: 'get /bücher 📚',
    kind: 2,
    startTimeUnixNano: at(0n),
    endTimeUnixNano: at(900n),
    attributes: [
      text('text', '未命中'),
      { key: 'int', value: { intValue: '42' } },
      { key: 'double', value: { doubleValue: 0.25 } },
      { key: 'yes', value: { boolValue: true } },
    ],
    events: [
      {
        timeUnixNano: at(100n),
        name: 'cache miss',
        attributes: [{ key: 'tries', value: { intValue: '3' } }],
      },
    ],
  };
  const child = {
    traceId,
    spanId: childId,
    parentSpanId: rootId,
    name: 'select',
    kind: 3,
    startTimeUnixNano: at(200n),
    endTimeUnixNano: at(800n),
    status: { code: 2, message: 'timeout 超时' },
  };
  const resource = { attributes: [text('service.name', 'otel-shop'), text('host.name', 'h1')] };
  const scope = { name: 'spoor.old', version: '1.2.3' };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope, spans: [root, child] }] }] };
}

test("what the collector's Zipkin exporter sends is read back", { skip }, async () => {
  const sendings = ['json', 'proto'].map((format, i) => ({
    format,
    traceId: String(i + 1).padStart(32, 'f'),
  }));
  await sendAll(
    sendings.map(({ format, traceId }) => ({
      exporter: 'zipkin',
      settings: { endpoint: `${server.addresses['zipkin_http']}/api/v2/spans`, format },
      request: olderTrace(traceId),
    })),
  );
  for (const { format, traceId } of sendings) {
    // The shape is what the test is about.
    const { data } = (await answer(`/api/traces/${traceId}`)) as { data: JaegerTrace[] };
    assert.deepEqual(viewOf(data[0]!), expectedView('otel zipkin'), format);
  }
});
