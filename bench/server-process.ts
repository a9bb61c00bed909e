// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../server/src/config/testing/free-ports.ts';
import { startNode, stopChild } from './child-process.ts';

const MAIN = fileURLToPath(new URL('../server/bin/spoor.js', import.meta.url));
const READY_TIMEOUT_MS = 60_000;

/** How the server is started. */
export interface ServerOptions {
  readonly dataDirectory: string;
  readonly pinned: boolean;
  /** Further `--set` words. */
  readonly sets: readonly string[];
}

/** A Spoor server in a process of its own, on free ports. */
export class ServerProcess {
  readonly pid: number;
  readonly otlpHttp: string;
  readonly otlpGrpc: string;
  readonly query: string;
  readonly health: string;
  /** From the start of the process to the first 200 of `/ready`. */
  readonly readyMs: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, ports: readonly number[], readyMs: number) {
    this.#child = child;
    this.pid = child.pid!;
    [this.otlpHttp, this.otlpGrpc, this.query, this.health] = [
      `http://127.0.0.1:${ports[0]}`,
      `127.0.0.1:${ports[1]}`,
      `http://127.0.0.1:${ports[2]}`,
      `http://127.0.0.1:${ports[3]}`,
    ];
    this.readyMs = readyMs;
  }

  /** Starts a server and resolves when it is ready. @throws {Error} when it ends or takes too long */
  static async start(options: ServerOptions): Promise<ServerProcess> {
    const ports = await unusedPorts(4);
    const sets = [
      ...freePorts(),
      `receivers.otlp.protocols.http.endpoint=127.0.0.1:${ports[0]}`,
      `receivers.otlp.protocols.grpc.endpoint=127.0.0.1:${ports[1]}`,
      `query.http.endpoint=127.0.0.1:${ports[2]}`,
      `telemetry.health.endpoint=127.0.0.1:${ports[3]}`,
      'telemetry.log_level=warn',
      ...options.sets,
    ];
    const startMs = performance.now();
    const child = startNode(
      [MAIN, '--data', options.dataDirectory, ...sets.flatMap((set) => ['--set', set])],
      options.pinned,
      'ignore',
    );
    const ready = `http://127.0.0.1:${ports[3]}/ready`;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`the server ended with code ${child.exitCode}`);
      if (await answers(ready)) break;
      if (performance.now() - startMs > READY_TIMEOUT_MS) {
        await stopChild(child);
        throw new Error(`the server was not ready after ${READY_TIMEOUT_MS} ms`);
      }
      await sleep(10);
    }
    return new ServerProcess(child, ports, performance.now() - startMs);
  }

  /** The figures of `GET /status` that are numbers, with dots between the names of nested objects. */
  async figures(): Promise<ReadonlyMap<string, number>> {
    return flatten(await this.#status());
  }

  /** The same of one receiver, by the name of its listener. */
  async receiverFigures(listener: string): Promise<ReadonlyMap<string, number>> {
    const { receivers } = await this.#status();
    const found = receivers.find(
      ({ receiver, transport }) => `${receiver}_${transport}` === listener,
    );
    if (found === undefined) throw new Error(`the server has no receiver ${listener}`);
    return flatten(found);
  }

  /** Where a listener is: a URL, or `host:port` for what is not HTTP. */
  async address(listener: string): Promise<string> {
    const { addresses } = await this.#status();
    const address = addresses[listener];
    if (address === undefined) throw new Error(`the server does not listen as ${listener}`);
    return address;
  }

  /** Ends it with SIGTERM; resolves to its exit code. */
  async stop(): Promise<number | null> {
    return await stopChild(this.#child);
  }

  async #status(): Promise<Status> {
    const response = await fetch(`${this.health}/status`);
    // The server is ours.
    return (await response.json()) as Status;
  }
}

/** What is read of the answer to `GET /status`. */
interface Status {
  readonly addresses: Readonly<Record<string, string>>;
  readonly receivers: readonly { readonly receiver: string; readonly transport: string }[];
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function flatten(value: unknown): Map<string, number> {
  const figures = new Map<string, number>();
  const walk = (prefix: string, inner: unknown): void => {
    if (typeof inner === 'number') figures.set(prefix, inner);
    if (typeof inner !== 'object' || inner === null) return;
    for (const [name, part] of Object.entries(inner)) {
      walk(prefix === '' ? name : `${prefix}.${name}`, part);
    }
  };
  walk('', value);
  return figures;
}

/** Ports that nobody listens on now. */
async function unusedPorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    ports.push(typeof address === 'object' && address !== null ? address.port : 0);
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
