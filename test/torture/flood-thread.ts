// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { FloodOrder, FloodReport, FloodWorkerData } from './flood-order.ts';

/** A thread that sends far more than a server can take. */
export class FloodThread implements AsyncDisposable {
  readonly protocol: 'grpc' | 'http';
  readonly #worker: Worker;

  constructor(data: FloodWorkerData) {
    this.protocol = data.protocol;
    this.#worker = new Worker(new URL('./flood-worker.ts', import.meta.url), { workerData: data });
  }

  /** Sends for a time; resolves when everything is answered. */
  async send(order: FloodOrder): Promise<FloodReport> {
    const answer = once(this.#worker, 'message');
    this.#worker.postMessage(order);
    // The worker answers each order with one report.
    const [report] = (await answer) as [FloodReport];
    return report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
