// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { TraceSink } from './trace-sink.ts';

/**
 * Writes each batch to several sinks, all of which must take it.
 *
 * The records of its requests go no further: in a store they say that everything behind has the request, and here only a
 * part of it would.
 */
export class FanOut implements TraceSink {
  readonly #sinks: readonly TraceSink[];

  constructor(sinks: readonly TraceSink[]) {
    this.#sinks = sinks;
  }

  /** @throws what the first sink that failed has thrown, once all are done: the sender's next try meets none of this one */
  async write(tenant: Tenant, batch: SpanBatch): Promise<void> {
    const ends = await Promise.allSettled(this.#sinks.map((sink) => sink.write(tenant, batch)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }
}
