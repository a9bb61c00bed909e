// SPDX-License-Identifier: Apache-2.0
// Roles in processes of their own: an agent sends to collectors, these to the process with the store.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLAIN_SPAN } from '../../core/src/wire/jaeger/testing/jaeger-model.ts';
import { agentMessage } from '../../core/src/wire/jaeger/testing/thrift-batch.ts';
import { freePort } from './free-port.ts';
import { sendDatagram } from './send-datagram.ts';
import { SpoorProcess } from './spoor-process.ts';
import { until } from './until.ts';

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

/** Jaeger's compact message of one span of a service. */
function datagramOf(serviceName: string): Uint8Array {
  return agentMessage('compact', { serviceName, processTags: [], spans: [PLAIN_SPAN] });
}

/** Resolves once a service is known. */
async function isFound(store: SpoorProcess, service: string): Promise<void> {
  await until(service, async () =>
    (await (await store.query('/api/services')).text()).includes(`"${service}"`),
  );
}

test('spans go from a client of the agent over a collector into the store, and answers wait for it', async () => {
  const port = await freePort();
  const startStore = (): Promise<SpoorProcess> =>
    SpoorProcess.start({
      role: 'query',
      sets: ['storage.type=memory', `receivers.otlp.protocols.grpc.endpoint=127.0.0.1:${port}`],
    });
  await using store = await startStore();
  await using collector = await SpoorProcess.start({
    role: 'collector',
    sets: [
      'service.pipelines.traces.exporters=[otlp]',
      `exporters.otlp.endpoint=http://127.0.0.1:${port}`,
      'exporters.otlp.circuit_breaker.max_open_interval=1s',
    ],
  });
  await using agent = await SpoorProcess.start({
    role: 'agent',
    sets: [
      `exporters.otlp.endpoint=http://${collector.otlpGrpcAddress}`,
      'exporters.otlp.circuit_breaker.max_open_interval=1s',
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
  assert.match(await (await store.query('/api/traces?service=shop')).text(), /"span 0"/);
  const udp = agent.addresses['jaeger_udp_thrift_compact']!;
  await sendDatagram(udp, datagramOf('old'));
  await isFound(store, 'old');

  store.kill('SIGKILL');
  await store.end;
  await sendDatagram(udp, datagramOf('kept'));
  const refused = await agent.send(traceRequest(1));
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers.get('retry-after')) >= 1);

  // Nobody sends a datagram again, so the agent does.
  await using again = await startStore();
  await isFound(again, 'kept');
  for (const server of [agent, collector]) assert.equal((await server.stop()).code, 0);
});
