// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePorts } from './free-port.ts';
import type { Host } from './host.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/servers/kafka.sh', import.meta.url));

/** A start takes 4 s on an idle machine, and the first one the time of a download. */
const START_TIMEOUT_MS = 180_000;

/** Why Kafka cannot run on this machine, or false; in CI it has to. */
export const NO_KAFKA: string | false =
  process.env['CI'] !== undefined || ['java', 'mvn'].every((tool) => runs(tool))
    ? false
    : 'there is no java and mvn to run Kafka';

/** Brings Kafka onto this machine, unless it is there. */
export function fetchKafka(): void {
  if (NO_KAFKA === false) execFileSync('bash', [SCRIPT], { stdio: 'inherit' });
}

function runs(tool: string): boolean {
  return spawnSync(tool, ['-version']).status === 0;
}

const THIS_HOST: Host = { address: '127.0.0.1', launcher: [] };

/** What the port for logins needs. */
export interface KafkaSecurity {
  /** PEM of key and certificate of the server, and of the CA. */
  readonly certificateFile: string;
  readonly caFile: string;
}

/** A real Kafka, of one node, in a process of its own. */
export class KafkaServer implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'spoor-kafka-'));
  readonly #host: Host;
  readonly #args: readonly string[];
  readonly #ports: readonly number[];
  #child: ChildProcess | undefined;

  private constructor(host: Host, ports: readonly number[], args: readonly string[]) {
    this.#host = host;
    this.#ports = ports;
    this.#args = args;
  }

  /** Starts one on free ports. */
  static async start(security?: KafkaSecurity, host: Host = THIS_HOST): Promise<KafkaServer> {
    const ports = await freePorts(3);
    const [plain, controller, secure] = ports.map(String);
    const more = security === undefined ? [] : [secure!, security.certificateFile, security.caFile];
    const server = new KafkaServer(host, ports, [plain!, controller!, ...more]);
    await server.restart();
    return server;
  }

  /** host:port that speaks plain text. */
  get broker(): string {
    return `${this.#host.address}:${this.#ports[0]}`;
  }

  /** host:port that speaks TLS and wants a login: alice, secret. */
  get secureBroker(): string {
    return `localhost:${this.#ports[2]}`;
  }

  /** Starts it again after {@link kill}, with the same data. */
  async restart(): Promise<void> {
    const { address, launcher } = this.#host;
    const words = [...launcher, 'bash', SCRIPT, this.#directory, ...this.#args];
    const child = spawn(words[0]!, words.slice(1), {
      env: { ...process.env, KAFKA_HOST: address },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const output: string[] = [];
    const ready = Promise.withResolvers<void>();
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        output.push(line);
        if (output.length > 50) output.shift();
        if (line.includes('Kafka Server started')) ready.resolve();
      });
    }
    child.once('exit', () => ready.reject(new Error(`Kafka has ended:\n${output.join('\n')}`)));
    const timer = setTimeout(() => {
      ready.reject(new Error(`Kafka was not ready in time:\n${output.join('\n')}`));
    }, START_TIMEOUT_MS);
    try {
      await ready.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const end = once(child, 'exit');
    child.kill('SIGKILL');
    await end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
