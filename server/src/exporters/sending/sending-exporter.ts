// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { SendingQueue } from '#exporters/queue/sending-queue.ts';
import type { TraceExporter } from '#pipeline/trace-sink.ts';
import type { Destinations } from './destinations.ts';
import type { Sender } from './sender.ts';
import { settleAll } from './settle-all.ts';

/** The parts of a {@link SendingExporter}. */
export interface SendingExporterParts {
  readonly destinations: Destinations;
  readonly sender: Sender;
  readonly queue: SendingQueue;
}

/** Sends batches to other servers. A write resolves when a server has taken it, or the queue keeps it on disk. */
export class SendingExporter implements TraceExporter {
  readonly #parts: SendingExporterParts;

  constructor(parts: SendingExporterParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    await this.#parts.destinations.start();
    await this.#parts.queue.start();
  }

  async write(tenant: Tenant, batch: SpanBatch): Promise<void> {
    const { sender, queue } = this.#parts;
    const requests = sender.requestsOf(tenant, batch);
    await settleAll(requests.map((request) => queue.put(request)));
  }

  async shutdown(deadlineMs: number): Promise<void> {
    await this.#parts.queue.shutdown(deadlineMs);
    this.#parts.destinations.close();
  }
}
