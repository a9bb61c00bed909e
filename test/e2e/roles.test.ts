// SPDX-License-Identifier: Apache-2.0
// Roles in processes of their own: an agent sends to collectors, these to the process with the store.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLAIN_SPAN } from '../../core/src/wire/jaeger/testing/jaeger-model.ts';
import { agentMessage } from '../../core/src/wire/jaeger/testing/thrift-batch.ts';
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

test('spans go from a client of the agent over a collector into the store, and answers wait for it', async () => {
  await using store = await SpoorProcess.start({ role: 'query', sets: ['storage.type=memory'] });
  await using collector = await SpoorProcess.start({
    role: 'collector',
    sets: [
      'service.pipelines.traces.exporters=[otlp]',
      `exporters.otlp.endpoint=http://${store.otlpGrpcAddress}`,
    ],
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
  assert.match(await (await store.query('/api/traces?service=shop')).text(), /"span 0"/);
  const batch = { serviceName: 'old', processTags: [], spans: [PLAIN_SPAN] };
  await sendDatagram(agent.addresses['jaeger_udp_thrift_compact']!, agentMessage('compact', batch));
  await until('the service that sends datagrams is found', async () =>
    (await (await store.query('/api/services')).text()).includes('"old"'),
  );

  store.kill('SIGKILL');
  await store.end;
  const refused = await agent.send(traceRequest(1));
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers.get('retry-after')) >= 1);
  for (const server of [agent, collector]) assert.equal((await server.stop()).code, 0);
});
