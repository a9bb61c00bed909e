// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { expectedView, viewOf, type ClientStyle, type JaegerTrace } from './clients/trace-view.ts';
import { GO, JAVA, NODE, PYTHON, runWithTools, whySkipped, type Toolchain } from './sdk/sdk.ts';
import { SpoorProcess } from './spoor-process.ts';

/** A program that sends a small trace with each client it is told, and says the trace's id. */
interface ClientProgram {
  readonly tools: Toolchain;
  readonly file: string;
  /** By the name that the program knows: where it sends, and how its spans look. */
  readonly clients: Readonly<Record<string, readonly [address: string, ClientStyle]>>;
}

let server: SpoorProcess;
before(async () => {
  server = await SpoorProcess.start();
});
after(() => server[Symbol.asyncDispose]());

const PROGRAMS: Readonly<Record<string, ClientProgram>> = {
  node: {
    tools: NODE,
    file: 'client.mjs',
    clients: {
      'jaeger-client udp': ['udp://jaeger_udp_thrift_binary', 'jaeger-client'],
      'jaeger-client http': ['jaeger_http/api/traces', 'jaeger-client'],
      'opentelemetry jaeger udp': ['udp://jaeger_udp_thrift_binary', 'otel jaeger'],
      'opentelemetry jaeger http': ['jaeger_http/api/traces', 'otel jaeger'],
      'opentelemetry zipkin': ['zipkin_http/api/v2/spans', 'otel zipkin without scope'],
      'zipkin v2 json': ['zipkin_http/api/v2/spans', 'zipkin'],
      'zipkin v1 json': ['zipkin_http/api/v1/spans', 'zipkin'],
    },
  },
  go: {
    tools: GO,
    file: 'main.go',
    clients: {
      'jaeger udp': ['udp://jaeger_udp_thrift_compact', 'otel jaeger'],
      'jaeger http': ['jaeger_http/api/traces', 'otel jaeger'],
      zipkin: ['zipkin_http/api/v2/spans', 'otel zipkin'],
    },
  },
  python: {
    tools: PYTHON,
    file: 'client.py',
    clients: {
      'thrift udp': ['udp://jaeger_udp_thrift_compact', 'otel jaeger'],
      'thrift http': ['jaeger_http/api/traces', 'otel jaeger'],
      'proto grpc': ['grpc://jaeger_grpc', 'otel jaeger'],
      'zipkin json': ['zipkin_http/api/v2/spans', 'otel zipkin'],
      'zipkin proto': ['zipkin_http/api/v2/spans', 'otel zipkin'],
    },
  },
  java: {
    tools: JAVA,
    file: 'Client.java',
    clients: {
      'jaeger grpc': ['http://jaeger_grpc', 'otel jaeger without flags'],
      'zipkin json': ['zipkin_http/api/v2/spans', 'otel zipkin'],
      'zipkin proto': ['zipkin_http/api/v2/spans', 'otel zipkin'],
    },
  },
};

/** The address with the name of a listener replaced by where it listens. */
function addressOf(pattern: string): string {
  return pattern.replace(/(jaeger|zipkin)_\w+/, (name) => server.addresses[name] ?? name);
}

/** The trace, as soon as it is there whole: what came over UDP is not acknowledged. */
async function readTrace(traceId: string, spans: number): Promise<JaegerTrace> {
  for (;;) {
    const answer = await server.query(`/api/traces/${traceId}`);
    // The shape is what the test is about.
    const { data } = (await answer.json()) as { data: JaegerTrace[] | null };
    if (answer.status === 200 && data?.[0]?.spans.length === spans) return data[0];
  }
}

for (const [name, { tools, file, clients }] of Object.entries(PROGRAMS)) {
  const skip = whySkipped(tools);
  test(`traces of the retired clients for ${name} are read back`, { skip }, async () => {
    const folder = join(import.meta.dirname, 'clients', name);
    const targets = Object.entries(clients).map(
      ([client, [address]]) => `${client}=${addressOf(address)}`,
    );
    const output = await runWithTools(tools, folder, {
      file,
      text: readFileSync(join(folder, file), 'utf8'),
      args: targets,
    });
    const lines = output.trim().split('\n');
    const sent = lines.map((line) => JSON.parse(line) as { client: string; traceId: string });
    assert.deepEqual(
      sent.map(({ client }) => client),
      Object.keys(clients),
    );
    for (const { client, traceId } of sent) {
      const [, style] = clients[client]!;
      const expected = expectedView(style);
      const seen = viewOf(await readTrace(traceId, expected.length));
      assert.deepEqual(seen, expected, `${name}: ${client}`);
    }
  });
}
