// SPDX-License-Identifier: Apache-2.0
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Role } from '../../server/src/config/presets.ts';
import { freePorts } from '../../server/src/config/testing/free-ports.ts';
import type { Host } from './host.ts';

const MAIN = fileURLToPath(new URL('../../server/bin/spoor.js', import.meta.url));

/** Generous: an idle machine starts a server in a second, one with ten times the work that it can do in half a minute. */
const READY_TIMEOUT_MS = 60_000;
/** What Spoor promises for its end. */
const STOP_TIMEOUT_MS = 10_000;

/** How a process is started. */
export interface SpoorProcessOptions {
  /** The all-in-one unless given. */
  readonly role?: Role;
  /** Data directory; without one a temporary directory is made, and removed by `dispose`. */
  readonly directory?: string;
  /** Where everything listens on its usual port; without it free ports of 127.0.0.1 are taken. */
  readonly host?: Host;
  /** `path.to.key=value`, after the ones for ports. */
  readonly sets?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** One line of its log. */
export type LogLine = Readonly<Record<string, unknown>> & {
  readonly level: string;
  readonly msg: string;
};

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A real Spoor server in a process of its own. */
export class SpoorProcess implements AsyncDisposable {
  readonly directory: string;
  /** Its log so far. */
  readonly log: LogLine[] = [];
  /** What it wrote to standard error so far. */
  stderr = '';
  /** Base URLs without a slash at the end. */
  queryUrl = '';
  otlpHttpUrl = '';
  healthUrl = '';
  /** host:port */
  otlpGrpcAddress = '';
  /** All of them, by the names of their listeners. */
  addresses: Readonly<Record<string, string>> = {};
  readonly #child: ChildProcess;
  readonly #removeDirectory: boolean;
  readonly #end: Promise<ProcessEnd>;

  private constructor(child: ChildProcess, directory: string, removeDirectory: boolean) {
    this.#child = child;
    this.directory = directory;
    this.#removeDirectory = removeDirectory;
    // "close" comes after "exit", once all output is read.
    this.#end = once(child, 'close').then(([code, signal]: (number | string | null)[]) => ({
      code: typeof code === 'number' ? code : null,
      // Node gives the name of a signal here or null.
      signal: (signal ?? null) as NodeJS.Signals | null,
    }));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
  }

  /** Starts a server and resolves when it is ready. Rejects with its output when it ends before. */
  static async start(options: SpoorProcessOptions = {}): Promise<SpoorProcess> {
    const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'spoor-e2e-'));
    const { role = 'all-in-one', host } = options;
    // Ports are taken free, so that tests can run beside a Spoor in use.
    const ports = host === undefined ? freePorts(role) : [`listen_host=${host.address}`];
    const sets = [...ports, ...(options.sets ?? [])].flatMap((set) => ['--set', set]);
    const words = [process.execPath, MAIN, role, '--data', directory, ...sets];
    const [command, ...args] = [...(host?.launcher ?? []), ...words];
    const child = spawn(command!, args, {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = new SpoorProcess(child, directory, options.directory === undefined);
    try {
      await server.#waitUntilReady();
    } catch (error) {
      child.kill('SIGKILL');
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Resolves when the process has ended, whoever ends it. */
  get end(): Promise<ProcessEnd> {
    return this.#end;
  }

  /** Sends a signal. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks for a clean end and resolves with it; after ten seconds it is killed. */
  async stop(): Promise<ProcessEnd> {
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    this.#child.kill('SIGTERM');
    const end = await this.#end;
    clearTimeout(limit);
    return end;
  }

  /** Ends the process if it still runs, and removes the directory that was made for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.stop();
    else await this.#end;
    if (this.#removeDirectory) rmSync(this.directory, { recursive: true, force: true });
  }

  /** POSTs a trace request to the OTLP/HTTP receiver. */
  async send(
    body: string | Uint8Array<ArrayBuffer>,
    contentType = 'application/json',
  ): Promise<Response> {
    return await fetch(`${this.otlpHttpUrl}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body,
    });
  }

  /** GETs a path of the query API. */
  async query(path: string): Promise<Response> {
    return await fetch(this.queryUrl + path);
  }

  async #waitUntilReady(): Promise<void> {
    const ready = Promise.withResolvers<Record<string, string>>();
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      // Every line of the log is such an object, else parsing throws and the test fails.
      const entry = JSON.parse(line) as LogLine;
      this.log.push(entry);
      if (entry.msg === 'spoor is ready') {
        ready.resolve(entry['addresses'] as Record<string, string>);
      }
    });
    const timeout = setTimeout(() => {
      ready.reject(new Error(`spoor was not ready in ${READY_TIMEOUT_MS} ms\n${this.#output()}`));
    }, READY_TIMEOUT_MS);
    void this.#end.then(({ code, signal }) => {
      ready.reject(
        new Error(`spoor ended with ${code ?? signal} before it was ready\n${this.#output()}`),
      );
    });
    try {
      const addresses = await ready.promise;
      this.addresses = addresses;
      this.queryUrl = addresses['query'] ?? '';
      this.otlpHttpUrl = addresses['otlp_http'] ?? '';
      this.otlpGrpcAddress = addresses['otlp_grpc'] ?? '';
      this.healthUrl = addresses['health'] ?? '';
      if (this.healthUrl !== '') {
        const answer = await fetch(`${this.healthUrl}/ready`);
        if (answer.status !== 200) throw new Error(`/ready answers ${answer.status}`);
      }
    } finally {
      clearTimeout(timeout);
    }
  }

  #output(): string {
    return `${this.log.map((line) => JSON.stringify(line)).join('\n')}\n${this.stderr}`;
  }
}
