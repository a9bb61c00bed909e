// SPDX-License-Identifier: Apache-2.0
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { afterTimeout, type Later } from './later.ts';

/** A worker's data lies in buffers outside of the heap; the usual 48 MiB of nursery would only be filled. */
const NURSERY_MIB = 12;

/** What goes to and fro carries an id, so that answers find their question. */
interface Numbered {
  readonly id: number;
}

/** What the store asks of a worker; see {@link WorkerClient}. */
export type StoreWorker<Request extends Numbered, Reply extends Numbered> = Pick<
  WorkerClient<Request, Reply>,
  'request' | 'notify' | 'close'
>;

/** How a worker is. */
export interface WorkerOptions {
  /** Its heap beyond its buffers. */
  readonly maxHeapMib: number;
  /** Gives what a new thread is told first. */
  readonly greeting?: () => unknown;
  /**
   * Without a request for so long the thread is ended, which gives its memory back, and the next request starts another; it
   * must keep nothing but what the greeting says. Never unless told.
   */
  readonly idleMs?: number;
}

/** Makes the worker of a script. */
export type CreateWorker = <Request extends Numbered, Reply extends Numbered>(
  script: URL,
  options: WorkerOptions,
) => StoreWorker<Request, Reply>;

/** Makes a worker with a thread of its own. */
export const createThread: CreateWorker = (script, options) => new WorkerClient(script, options);

/**
 * A worker thread that is started with the first request and answers requests in order. When it dies, everything under way
 * is rejected, and the next request starts a new one.
 */
export class WorkerClient<Request extends Numbered, Reply extends Numbered> {
  readonly #script: URL;
  readonly #options: WorkerOptions;
  readonly #later: Later;
  #stopWaiting: (() => void) | undefined;
  #worker: Worker | undefined;
  #nextId = 1;
  readonly #pending = new Map<
    number,
    { resolve: (reply: Reply) => void; reject: (error: unknown) => void }
  >();

  constructor(script: URL, options: WorkerOptions, later: Later = afterTimeout) {
    this.#script = script;
    this.#options = options;
    this.#later = later;
  }

  /** Sends a request and resolves with its reply. */
  request(make: (id: number) => Request): Promise<Reply> {
    const id = this.#nextId++;
    this.#stopWaiting?.();
    return new Promise((resolve, reject) => {
      this.#start().postMessage(make(id));
      this.#pending.set(id, { resolve, reject });
    });
  }

  /** Sends what needs no answer, to a worker that runs; a later one gets to know it by its greeting. */
  notify(message: unknown): void {
    this.#worker?.postMessage(message);
  }

  /** Ends the worker. */
  async close(): Promise<void> {
    this.#stopWaiting?.();
    await this.#end();
    this.#rejectAll(new SpoorError('unavailable', 'the store is closed'));
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    // Compiled code that the process keeps between starts saves a worker two thirds of its own; Node does not pass that on.
    const cacheDir = getCompileCacheDir();
    const worker = new Worker(this.#script, {
      ...(cacheDir === undefined
        ? {}
        : { env: { ...process.env, NODE_COMPILE_CACHE: dirname(cacheDir) } }),
      resourceLimits: {
        maxOldGenerationSizeMb: this.#options.maxHeapMib,
        maxYoungGenerationSizeMb: NURSERY_MIB,
      },
    });
    this.#worker = worker;
    worker.on('message', (reply: Reply) => {
      const pending = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      pending?.resolve(reply);
      this.#waitForWork();
    });
    const onEnd = (why: string, cause?: Error): void => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      const name = this.#script.pathname.split('/').at(-1);
      this.#rejectAll(new SpoorError('internal', `${name}: ${why}`, { cause }));
    };
    worker.on('error', (cause: Error) => onEnd(cause.message, cause));
    worker.on('exit', (code) => onEnd(`ended with code ${code}`));
    const { greeting } = this.#options;
    if (greeting !== undefined) worker.postMessage(greeting());
    return worker;
  }

  /** Ends the thread unless it is asked for something soon. */
  #waitForWork(): void {
    const { idleMs } = this.#options;
    if (idleMs === undefined || this.#pending.size > 0) return;
    this.#stopWaiting = this.#later(() => void this.#end(), idleMs);
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #rejectAll(error: SpoorError): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
