// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Role } from '../../server/src/config/presets.ts';
import { KafkaServer } from '../e2e/kafka-server.ts';
import { ChainNode, type Killable } from './chain-node.ts';
import type { Verdict } from './verdict.ts';

const TOPIC = 'chain';

/** Pauses that fit kills every few seconds. */
const QUICK = [
  'exporters.otlp.retry_on_failure.initial_interval=100ms',
  'exporters.otlp.retry_on_failure.max_interval=1s',
  'exporters.otlp.circuit_breaker.open_interval=100ms',
  'exporters.otlp.circuit_breaker.max_open_interval=1s',
];

/** Agent → two collectors → Kafka → two ingesters → the process with the store, each on an address of its own. */
export class ChainNodes implements AsyncDisposable {
  readonly agent: ChainNode;
  readonly collectors: readonly ChainNode[];
  readonly ingesters: readonly ChainNode[];
  readonly query: ChainNode;
  readonly #kafka: KafkaServer;

  private constructor(kafka: KafkaServer, directory: string, network: string, verdict: Verdict) {
    const node = (role: Role, number: number, name: string, sets: readonly string[]): ChainNode =>
      new ChainNode({
        name,
        role,
        host: `${network}.${number}`,
        directory: join(directory, name),
        sets,
        verdict,
      });
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
      `exporters.otlp.endpoint=http://${network}.6:4317`,
      ...QUICK,
    ];
    this.#kafka = kafka;
    this.agent = node('agent', 1, 'agent', [
      `exporters.otlp.endpoint=[http://${network}.2:4317,http://${network}.3:4317]`,
      'exporters.otlp.sending_queue.storage=disk',
      `exporters.otlp.sending_queue.directory=${join(directory, 'agent', 'queue')}`,
      ...QUICK,
    ]);
    this.collectors = [
      node('collector', 2, 'collector-1', toKafka),
      node('collector', 3, 'collector-2', toKafka),
    ];
    this.ingesters = [
      // One keeps its partitions over restarts, the other gives them up.
      node('ingester', 4, 'ingester-1', [...toQuery, 'receivers.kafka.group_instance_id=first']),
      node('ingester', 5, 'ingester-2', toQuery),
    ];
    this.query = node('query', 6, 'query', []);
  }

  /**
   * Starts all of them.
   * @param network first three numbers of the loopback addresses
   */
  static async start(directory: string, network: string, verdict: Verdict): Promise<ChainNodes> {
    const nodes = new ChainNodes(await KafkaServer.start(), directory, network, verdict);
    try {
      await Promise.all(nodes.#all.map((node) => node.start()));
    } catch (error) {
      await nodes[Symbol.asyncDispose]();
      throw error;
    }
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
  }

  get #all(): readonly ChainNode[] {
    return [this.agent, ...this.collectors, ...this.ingesters, this.query];
  }
}
