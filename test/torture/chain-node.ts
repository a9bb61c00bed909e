// SPDX-License-Identifier: Apache-2.0
import type { Role } from '../../server/src/config/presets.ts';
import type { Host } from '../e2e/host.ts';
import { SpoorProcess } from '../e2e/spoor-process.ts';
import type { Verdict } from './verdict.ts';

/** How a {@link ChainNode} is started, each time. */
export interface ChainNodeOptions {
  readonly name: string;
  readonly role: Role;
  readonly host: Host;
  readonly directory: string;
  readonly sets: readonly string[];
  readonly verdict: Verdict;
}

/** What can be killed and comes back with its data. */
export interface Killable {
  readonly name: string;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** One process of a chain, on a host of its own. */
export class ChainNode implements Killable, AsyncDisposable {
  readonly name: string;
  readonly host: Host;
  readonly #options: ChainNodeOptions;
  #process: SpoorProcess | undefined;
  #started: Promise<void> | undefined;

  constructor(options: ChainNodeOptions) {
    this.name = options.name;
    this.host = options.host;
    this.#options = options;
  }

  /** The process that runs now. */
  get process(): SpoorProcess {
    if (this.#process === undefined) throw new Error(`${this.name} does not run`);
    return this.#process;
  }

  /** Resolves when it is ready, with what it had before it was killed. */
  start(): Promise<void> {
    this.#started = this.#start();
    return this.#started;
  }

  async kill(): Promise<void> {
    const { process } = this;
    process.kill('SIGKILL');
    const end = await process.end;
    this.#options.verdict.check('a process ends by our signal only', end.signal === 'SIGKILL', () =>
      this.#told(`ended with ${end.code ?? end.signal}`),
    );
    this.#checkLog();
  }

  /** Ends it as an operator does. */
  async stop(): Promise<void> {
    const end = await this.process.stop();
    this.#options.verdict.check('SIGTERM ends with exit code 0 within 10 s', end.code === 0, () =>
      this.#told(`ended with ${end.code ?? end.signal}`),
    );
    this.#checkLog();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#started?.catch(() => undefined);
    this.#process?.kill('SIGKILL');
    await this.#process?.[Symbol.asyncDispose]();
  }

  async #start(): Promise<void> {
    const { role, host, directory, sets, verdict } = this.#options;
    try {
      this.#process = await SpoorProcess.start({ role, host, directory, sets });
    } catch (error) {
      throw new Error(`${this.name} does not start`, { cause: error });
    }
    verdict.held('a process starts, also after a kill');
  }

  /** That others go and come back is a usual thing: nothing in it is an error. */
  #checkLog(): void {
    const { verdict } = this.#options;
    const { log, stderr } = this.process;
    const errors = log.filter(({ level }) => level === 'error' || level === 'fatal');
    verdict.check('nothing is logged as an error', errors.length === 0, () =>
      this.#told(
        errors
          .slice(0, 3)
          .map((line) => JSON.stringify(line))
          .join(' '),
      ),
    );
    verdict.check('nothing is written to standard error', stderr === '', () => this.#told(stderr));
  }

  #told(what: string): string {
    return `${this.name}: ${what.slice(0, 1000)}`;
  }
}
