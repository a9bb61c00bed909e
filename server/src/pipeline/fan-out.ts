// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { settleAll } from './settle-all.ts';
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

  /**
   * @throws once all are done, so that the sender's next try meets none of this one: what may be tried again, if anything, since
   * the sinks that will never take it need not keep the others from having it
   */
  async write(tenant: Tenant, batch: SpanBatch): Promise<void> {
    await settleAll(this.#sinks.map((sink) => sink.write(tenant, batch)));
  }
}
