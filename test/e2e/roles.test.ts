// SPDX-License-Identifier: Apache-2.0
// Roles in processes of their own: an agent sends to collectors, these to the process with the store.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { mkdtempDisposable } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { PLAIN_SPAN } from '../../core/src/wire/jaeger/testing/jaeger-model.ts';
import { agentMessage } from '../../core/src/wire/jaeger/testing/thrift-batch.ts';
import { SpoorProcess } from './spoor-process.ts';

/** Liveness limit of what needs a process to come back, ms. */
const LIMIT_MS = 30_000;

async function sendDatagram(address: string, bytes: Uint8Array): Promise<void> {
  const { hostname, port } = new URL(`udp://${address}`);
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.send(bytes, Number(port), hostname, (error) => (error ? reject(error) : resolve()));
  });
  socket.close();
}

/** A span of a trace of its own. */
function traceRequest(i: number): string {
  const startNanos = BigInt(Date.now()) * 1_000_000n;
  const span = {
    traceId: String(i + 1).padStart(32, '0'),
    spanId: String(i + 1).padStart(16, '0'),
    name: `span ${i}`,
    startTimeUnixNano: String(startNanos),
    endTimeUnixNano: String(startNanos + 1000n),
  };
  const resource = {
    attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }],
  };
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] });
}

/** Names of all spans of the service, once there are so many. */
async function spansOf(server: SpoorProcess, service: string, count: number): Promise<string[]> {
  const endMs = Date.now() + LIMIT_MS;
  for (;;) {
    const answer = await server.query(`/api/traces?service=${service}&limit=1000&lookback=1h`);
    // The routes answer with this shape.
    const { data } = (await answer.json()) as { data: { spans: { operationName: string }[] }[] };
    const names = data.flatMap(({ spans }) => spans.map(({ operationName }) => operationName));
    if (names.length >= count || Date.now() > endMs) return names.sort();
    await pause(50);
  }
}

/** A port that nothing listens on for now. */
async function reservePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  // It listens on a port.
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const TO_OTLP = 'service.pipelines.traces.exporters=[otlp]';

test('spans go from a client of the agent over a collector into the store, and answers wait for it', async () => {
  await using store = await SpoorProcess.start({ role: 'query', sets: ['storage.type=memory'] });
  await using collector = await SpoorProcess.start({
    role: 'collector',
    sets: [TO_OTLP, `exporters.otlp.endpoint=http://${store.otlpGrpcAddress}`],
  });
  await using agent = await SpoorProcess.start({
    role: 'agent',
    sets: [
      `exporters.otlp.endpoint=http://${collector.otlpGrpcAddress}`,
      'exporters.otlp.sending_queue.enabled=false',
    ],
  });
  assert.deepEqual(Object.keys(agent.addresses).sort(), [
    'health',
    'jaeger_udp_thrift_binary',
    'jaeger_udp_thrift_compact',
    'jaeger_udp_zipkin_compact',
    'otlp_grpc',
    'otlp_http',
    'sampling_grpc',
    'sampling_http',
  ]);
  assert.equal((await agent.send(traceRequest(0))).status, 200);
  assert.deepEqual(await spansOf(store, 'shop', 1), ['span 0']);
  const batch = { serviceName: 'old', processTags: [], spans: [PLAIN_SPAN] };
  await sendDatagram(agent.addresses['jaeger_udp_thrift_compact']!, agentMessage('compact', batch));
  const services = async (): Promise<string> => await (await store.query('/api/services')).text();
  while (!(await services()).includes('"old"')) await pause(20);

  store.kill('SIGKILL');
  await store.end;
  const refused = await agent.send(traceRequest(1));
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers.get('retry-after')) >= 1);
  for (const server of [agent, collector]) assert.equal((await server.stop()).code, 0);
});

test('an agent that is killed while its collector is away sends on what it had acknowledged, once', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'spoor-e2e-'));
  const port = await reservePort();
  const agentSets = [
    `exporters.otlp.endpoint=http://127.0.0.1:${port}`,
    'exporters.otlp.sending_queue.storage=disk',
    `exporters.otlp.sending_queue.directory=${join(directory.path, 'queue')}`,
    'exporters.otlp.retry_on_failure.initial_interval=100ms',
    'exporters.otlp.retry_on_failure.max_interval=200ms',
  ];
  const names: string[] = [];
  {
    await using agent = await SpoorProcess.start({ role: 'agent', sets: agentSets });
    for (let i = 0; i < 20; i++) {
      assert.equal((await agent.send(traceRequest(i))).status, 200);
      names.push(`span ${i}`);
    }
    agent.kill('SIGKILL');
    await agent.end;
  }
  await using agent = await SpoorProcess.start({ role: 'agent', sets: agentSets });
  await using store = await SpoorProcess.start({
    role: 'query',
    sets: ['storage.type=memory', `receivers.otlp.protocols.grpc.endpoint=127.0.0.1:${port}`],
  });
  assert.deepEqual(await spansOf(store, 'shop', names.length), names.toSorted());
  assert.equal((await agent.stop()).code, 0);
  assert.equal((await store.stop()).code, 0);
});
