// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { FloodOrder, FloodReport, FloodWorkerData, SendOrder } from './flood-order.ts';

/** A thread that sends far more than a server can take. */
export class FloodThread implements AsyncDisposable {
  readonly #worker: Worker;

  constructor(data: FloodWorkerData) {
    this.#worker = new Worker(new URL('./flood-worker.ts', import.meta.url), { workerData: data });
  }

  /** Makes requests in advance, until so many wait. */
  async prepare(requests: number): Promise<void> {
    await this.#order({ do: 'prepare', requests });
  }

  /** Sends for a time; resolves when everything is answered. */
  async send(order: SendOrder): Promise<FloodReport> {
    // The worker answers this order with a report.
    return (await this.#order({ do: 'send', ...order })) as FloodReport;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#order({ do: 'end' });
    await this.#worker.terminate();
  }

  async #order(order: FloodOrder): Promise<unknown> {
    const answer = once(this.#worker, 'message');
    this.#worker.postMessage(order);
    const [reply] = (await answer) as unknown[];
    return reply;
  }
}
