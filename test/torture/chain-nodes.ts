// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Role } from '../../server/src/config/presets.ts';
import { KafkaServer } from '../e2e/kafka-server.ts';
import { ChainNode, type Killable } from './chain-node.ts';
import { Hosts } from './hosts.ts';
import type { Verdict } from './verdict.ts';

const TOPIC = 'chain';

const HOST_NAMES = [
  'agent',
  'collector-1',
  'collector-2',
  'kafka',
  'ingester-1',
  'ingester-2',
  'query',
] as const;
type HostName = (typeof HOST_NAMES)[number];

/** Pauses that fit kills every few seconds. */
const QUICK = [
  'exporters.otlp.retry_on_failure.initial_interval=100ms',
  'exporters.otlp.retry_on_failure.max_interval=1s',
  'exporters.otlp.circuit_breaker.open_interval=100ms',
  'exporters.otlp.circuit_breaker.max_open_interval=1s',
];

/** Agent → two collectors → Kafka → two ingesters → the process with the store, each on a host of its own. */
export class ChainNodes implements AsyncDisposable {
  readonly agent: ChainNode;
  readonly collectors: readonly ChainNode[];
  readonly ingesters: readonly ChainNode[];
  readonly query: ChainNode;
  readonly #hosts: Hosts;
  readonly #kafka: KafkaServer;

  private constructor(hosts: Hosts, kafka: KafkaServer, directory: string, verdict: Verdict) {
    const node = (role: Role, name: HostName, sets: readonly string[]): ChainNode =>
      new ChainNode({
        name,
        role,
        host: hosts.get(name),
        directory: join(directory, name),
        sets,
        verdict,
      });
    const urlOf = (name: HostName): string => `http://${hosts.get(name).address}:4317`;
    const toKafka = [
      'service.pipelines.traces.exporters=[kafka]',
      `exporters.kafka.brokers=[${kafka.broker}]`,
      `exporters.kafka.traces.topic=${TOPIC}`,
    ];
    const toQuery = [
      `receivers.kafka.brokers=[${kafka.broker}]`,
      `receivers.kafka.traces.topic=${TOPIC}`,
      'receivers.kafka.session_timeout=6s',
      'receivers.kafka.heartbeat_interval=500ms',
      'service.pipelines.traces.exporters=[otlp]',
      `exporters.otlp.endpoint=${urlOf('query')}`,
      ...QUICK,
    ];
    this.#hosts = hosts;
    this.#kafka = kafka;
    this.agent = node('agent', 'agent', [
      `exporters.otlp.endpoint=[${urlOf('collector-1')},${urlOf('collector-2')}]`,
      'exporters.otlp.sending_queue.storage=disk',
      `exporters.otlp.sending_queue.directory=${join(directory, 'agent', 'queue')}`,
      ...QUICK,
    ]);
    this.collectors = [
      node('collector', 'collector-1', toKafka),
      node('collector', 'collector-2', toKafka),
    ];
    this.ingesters = [
      // One keeps its partitions over restarts, the other gives them up.
      node('ingester', 'ingester-1', [...toQuery, 'receivers.kafka.group_instance_id=first']),
      node('ingester', 'ingester-2', toQuery),
    ];
    this.query = node('query', 'query', []);
  }

  /** Starts all of them. */
  static async start(directory: string, verdict: Verdict): Promise<ChainNodes> {
    await using undo = new AsyncDisposableStack();
    const hosts = undo.use(new Hosts(HOST_NAMES));
    verdict.say(`hosts are ${hosts.kind}`);
    const kafka = undo.use(await KafkaServer.start(undefined, hosts.get('kafka')));
    const nodes = undo.use(new ChainNodes(hosts, kafka, directory, verdict));
    await Promise.all(nodes.#all.map((node) => node.start()));
    undo.move();
    return nodes;
  }

  /** All that can be killed. */
  get killables(): readonly Killable[] {
    const kafka = this.#kafka;
    return [
      ...this.#all,
      { name: 'kafka', kill: () => kafka.kill(), start: () => kafka.restart() },
    ];
  }

  /** Ends all as an operator does, from the front to the back. */
  async stop(): Promise<void> {
    for (const node of this.#all) await node.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((node) => node[Symbol.asyncDispose]()));
    await this.#kafka[Symbol.asyncDispose]();
    this.#hosts[Symbol.dispose]();
  }

  get #all(): readonly ChainNode[] {
    return [this.agent, ...this.collectors, ...this.ingesters, this.query];
  }
}
