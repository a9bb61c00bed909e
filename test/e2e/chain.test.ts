// SPDX-License-Identifier: Apache-2.0
// All roles in processes of their own, with a real Kafka between, each killed and started again under load.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { PLAIN_SPAN } from '../../core/src/wire/jaeger/testing/jaeger-model.ts';
import { agentMessage } from '../../core/src/wire/jaeger/testing/thrift-batch.ts';
import type { Role } from '../../server/src/config/presets.ts';
import { freePorts } from './free-port.ts';
import { KafkaServer, NO_KAFKA } from './kafka-server.ts';
import { sendDatagram } from './send-datagram.ts';
import { SpoorProcess } from './spoor-process.ts';
import { until } from './until.ts';

/** Requests that have to be acknowledged between two events. */
const REQUESTS = 40;
const SENDERS = 4;
const SPANS = 5;

/** A process of the chain; its addresses stay when it is killed and started again. */
class Member implements AsyncDisposable {
  readonly name: string;
  readonly #role: Role;
  readonly #sets: readonly string[];
  readonly #directory: string;
  #server: SpoorProcess | undefined;

  constructor(name: string, role: Role, directory: string, sets: readonly string[]) {
    this.name = name;
    this.#role = role;
    this.#directory = join(directory, name);
    this.#sets = sets;
  }

  get server(): SpoorProcess {
    assert.ok(this.#server, `${this.name} runs`);
    return this.#server;
  }

  async start(): Promise<void> {
    this.#server = await SpoorProcess.start({
      role: this.#role,
      directory: this.#directory,
      sets: this.#sets,
    });
  }

  async kill(): Promise<void> {
    this.server.kill('SIGKILL');
    await this.server.end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }
}

/** Applications that send each trace until it is acknowledged. */
class Load {
  /** Ids of the traces that were. */
  readonly acknowledged: string[] = [];
  readonly #url: string;
  readonly #senders: Promise<void>[];
  #isOver = false;

  constructor(url: string) {
    this.#url = url;
    this.#senders = Array.from({ length: SENDERS }, () => this.#send());
  }

  /** Resolves once some more requests were acknowledged. */
  async goesOn(what: string): Promise<void> {
    const count = this.acknowledged.length + REQUESTS;
    await until(what, () => this.acknowledged.length >= count);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#senders);
  }

  async #send(): Promise<void> {
    while (!this.#isOver) {
      const traceId = randomBytes(16).toString('hex');
      const body = traceRequest(traceId);
      while (!(await this.#take(body))) await pause(20);
      this.acknowledged.push(traceId);
      await pause(5);
    }
  }

  async #take(body: string): Promise<boolean> {
    try {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${this.#url}/v1/traces`, { method: 'POST', headers, body });
      await answer.arrayBuffer();
      assert.ok(answer.status === 200 || answer.status === 503, `status ${answer.status}`);
      return answer.status === 200;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      return false;
    }
  }
}

function traceRequest(traceId: string): string {
  const startNanos = BigInt(Date.now()) * 1_000_000n;
  const spans = Array.from({ length: SPANS }, (_, i) => ({
    traceId,
    spanId: randomBytes(8).toString('hex'),
    name: `step ${i}`,
    startTimeUnixNano: String(startNanos),
    endTimeUnixNano: String(startNanos + 1000n),
  }));
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
}

/** Names of the spans of a trace, or none while it is not found. */
async function stepsOf(store: SpoorProcess, traceId: string): Promise<string[]> {
  const answer = await store.query(`/api/traces/${traceId}`);
  // The route answers with this shape, and with null or nothing in `data` for what is not there.
  const { data } = (await answer.json()) as {
    data: { spans: { operationName: string }[] }[] | null;
  };
  return (data ?? [])
    .flatMap(({ spans }) => spans.map(({ operationName }) => operationName))
    .sort();
}

test(
  'agent, two collectors, Kafka, two ingesters and a store: what was acknowledged is found once, whoever is killed',
  { skip: NO_KAFKA },
  async (context) => {
    await using kafka = await KafkaServer.start();
    await using directory = await mkdtempDisposable(join(tmpdir(), 'spoor-e2e-'));
    const [agentPort, storePort, ...collectorPorts] = await freePorts(4);
    const toOtlp = (ports: readonly (number | undefined)[]): string[] => [
      `exporters.otlp.endpoint=[${ports.map((port) => `"http://127.0.0.1:${port}"`).join(', ')}]`,
      'exporters.otlp.sending_queue.enabled=false',
      'exporters.otlp.circuit_breaker.open_interval=100ms',
      'exporters.otlp.circuit_breaker.max_open_interval=500ms',
    ];
    const member = (name: string, role: Role, sets: readonly string[]): Member =>
      new Member(name, role, directory.path, sets);
    const otlp = (transport: string, port: number | undefined): string =>
      `receivers.otlp.protocols.${transport}.endpoint=127.0.0.1:${port}`;
    await using store = member('store', 'query', [otlp('grpc', storePort)]);
    const ingesterSets = [
      `receivers.kafka.brokers=[${kafka.broker}]`,
      'receivers.kafka.session_timeout=6s',
      'receivers.kafka.heartbeat_interval=500ms',
      'service.pipelines.traces.exporters=[otlp]',
      ...toOtlp([storePort]),
    ];
    await using ingesterA = member('ingester-a', 'ingester', ingesterSets);
    await using ingesterB = member('ingester-b', 'ingester', ingesterSets);
    const collectorSets = (port: number | undefined): string[] => [
      otlp('grpc', port),
      `exporters.kafka.brokers=[${kafka.broker}]`,
      'service.pipelines.traces.exporters=[kafka]',
    ];
    await using collectorA = member('collector-a', 'collector', collectorSets(collectorPorts[0]));
    await using collectorB = member('collector-b', 'collector', collectorSets(collectorPorts[1]));
    await using agent = member('agent', 'agent', [
      otlp('http', agentPort),
      ...toOtlp(collectorPorts),
    ]);
    const members = [store, collectorA, ingesterA, collectorB, ingesterB, agent];
    await Promise.all(members.map((one) => one.start()));

    const load = new Load(`http://127.0.0.1:${agentPort}`);
    await load.goesOn('the first spans are taken');
    for (const one of members) {
      await one.kill();
      // One of two, and everything behind Kafka, is not missed.
      if (one !== agent) await load.goesOn(`spans are taken without ${one.name}`);
      await one.start();
      await load.goesOn(`spans are taken after ${one.name} is back`);
    }
    await load.end();
    context.diagnostic(`${load.acknowledged.length} traces were acknowledged`);

    const batch = { serviceName: 'old', processTags: [], spans: [PLAIN_SPAN] };
    const udp = agent.server.addresses['jaeger_udp_thrift_compact']!;
    await sendDatagram(udp, agentMessage('compact', batch));
    await until('the service that sends datagrams is found', async () =>
      (await (await store.server.query('/api/services')).text()).includes('"old"'),
    );
    const steps = Array.from({ length: SPANS }, (_, i) => `step ${i}`);
    for (const traceId of load.acknowledged) {
      let found: string[] = [];
      await until(`trace ${traceId} is found`, async () => {
        found = await stepsOf(store.server, traceId);
        return found.length >= SPANS;
      });
      assert.deepEqual(found, steps);
    }
    for (const one of members.toReversed()) {
      assert.deepEqual(await one.server.stop(), { code: 0, signal: null }, one.name);
    }
  },
);
