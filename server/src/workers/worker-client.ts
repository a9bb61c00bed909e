// SPDX-License-Identifier: Apache-2.0
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { afterTimeout, type Later } from '#later.ts';
import type { WorkerThreadData } from './worker-thread.ts';

/** A worker's data lies in buffers outside of the heap; the usual 48 MiB of nursery would only be filled. */
const NURSERY_MIB = 12;

/** A thread that has not ended by itself after this is ended from outside; see `compress` of the store for why that is the last resort. */
const STOP_MS = 5000;

const ENTRY = new URL('./thread-entry.ts', import.meta.url);

/** What goes to and fro carries an id, so that answers find their question. */
interface Numbered {
  readonly id: number;
}

/** What is asked of a worker; see {@link WorkerClient}. */
export type AskedWorker<Request extends Numbered, Reply extends Numbered> = Pick<
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
  /** A thread that has not ended by itself after this is ended from outside; {@link STOP_MS} unless told. */
  readonly stopMs?: number;
}

/** Makes the worker of a script. */
export type CreateWorker = <Request extends Numbered, Reply extends Numbered>(
  script: URL,
  options: WorkerOptions,
) => AskedWorker<Request, Reply>;

/** Makes a worker with a thread of its own. */
export const createThread: CreateWorker = (script, options) => new WorkerClient(script, options);

/**
 * A worker thread that is started with the first request and answers requests. When it dies, or an answer cannot be read,
 * everything under way is rejected, and the next request starts a new one.
 */
export class WorkerClient<Request extends Numbered, Reply extends Numbered> {
  readonly #script: URL;
  readonly #options: WorkerOptions;
  readonly #later: Later;
  #stopWaiting: (() => void) | undefined;
  #thread: Thread | undefined;
  #isClosed = false;
  #nextId = 1;
  readonly #pending = new Map<number, Pending<Reply>>();

  constructor(script: URL, options: WorkerOptions, later: Later = afterTimeout) {
    this.#script = script;
    this.#options = options;
    this.#later = later;
  }

  /**
   * Sends a request and resolves with its reply.
   * @param moved buffers that are given away with it
   */
  request(make: (id: number) => Request, moved: readonly ArrayBuffer[] = []): Promise<Reply> {
    const id = this.#nextId++;
    this.#stopWaiting?.();
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw closed();
      try {
        this.#start().postMessage(make(id), moved);
      } catch (error) {
        this.#waitForWork();
        throw error;
      }
      this.#pending.set(id, { resolve, reject });
    });
  }

  /** Sends what needs no answer, to a worker that runs; a later one gets to know it by its greeting. */
  notify(message: unknown): void {
    this.#thread?.worker.postMessage(message);
  }

  /** Ends the worker, which breaks off what it is doing. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopWaiting?.();
    await this.#end();
    rejectAll(this.#takePending(), closed());
  }

  #start(): Worker {
    if (this.#thread !== undefined) return this.#thread.worker;
    const { greeting } = this.#options;
    const told = greeting?.();
    // Compiled code that the process keeps between starts saves a worker two thirds of its own; Node does not pass that on.
    const cacheDir = getCompileCacheDir();
    const stop = new SharedArrayBuffer(4);
    const worker = new Worker(ENTRY, {
      workerData: { script: this.#script.href, stop } satisfies WorkerThreadData,
      ...(cacheDir === undefined
        ? {}
        : { env: { ...process.env, NODE_COMPILE_CACHE: dirname(cacheDir) } }),
      resourceLimits: {
        maxOldGenerationSizeMb: this.#options.maxHeapMib,
        maxYoungGenerationSizeMb: NURSERY_MIB,
      },
    });
    try {
      if (greeting !== undefined) worker.postMessage(told);
    } catch (error) {
      // It was asked for nothing yet.
      void worker.terminate();
      throw error;
    }
    const isThis = (): boolean => this.#thread?.worker === worker;
    worker.on('message', (reply: Reply) => {
      const pending = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      pending?.resolve(reply);
      if (isThis()) this.#waitForWork();
    });
    const failure = (why: string, cause?: Error): SpoorError => {
      const name = this.#script.pathname.split('/').at(-1);
      return new SpoorError('internal', `${name}: ${why}`, { cause });
    };
    const onEnd = (why: string, cause?: Error): void => {
      if (!isThis()) return;
      this.#thread = undefined;
      rejectAll(this.#takePending(), failure(why, cause));
    };
    worker.on('messageerror', (cause: Error) => {
      if (!isThis()) return;
      // Whose answer it is cannot be known. As after a death, the thread does nothing any more when they hear of it.
      const asked = this.#takePending();
      const error = failure(`an answer cannot be read: ${cause.message}`, cause);
      void this.#end().then(() => rejectAll(asked, error));
    });
    worker.on('error', (cause: Error) => onEnd(cause.message, cause));
    const ended = new Promise<void>((resolve) => {
      worker.on('exit', (code) => {
        onEnd(`ended with code ${code}`);
        resolve();
      });
    });
    this.#thread = { worker, stop: new Int32Array(stop), ended };
    return worker;
  }

  /** Ends the thread unless it is asked for something soon. */
  #waitForWork(): void {
    const { idleMs } = this.#options;
    if (idleMs === undefined || this.#thread === undefined || this.#pending.size > 0) return;
    this.#stopWaiting = this.#later(() => void this.#end(), idleMs);
  }

  async #end(): Promise<void> {
    const thread = this.#thread;
    if (thread === undefined) return;
    this.#thread = undefined;
    const { worker, stop, ended } = thread;
    Atomics.store(stop, 0, 1);
    // A thread that has nothing to do looks only when it gets something.
    worker.postMessage(undefined);
    const cancel = this.#later(() => void worker.terminate(), this.#options.stopMs ?? STOP_MS);
    await ended;
    cancel();
  }

  #takePending(): Pending<Reply>[] {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    return pending;
  }
}

/** Who waits for a reply. */
interface Pending<Reply> {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
}

function rejectAll(pending: readonly Pick<Pending<unknown>, 'reject'>[], error: SpoorError): void {
  for (const { reject } of pending) reject(error);
}

interface Thread {
  readonly worker: Worker;
  readonly stop: Int32Array;
  /** Resolves when the thread is no more. */
  readonly ended: Promise<void>;
}

function closed(): SpoorError {
  return new SpoorError('unavailable', 'the server is stopping');
}
