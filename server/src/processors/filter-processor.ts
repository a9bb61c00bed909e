// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { FilterProcessorConfig } from '#config/filter-processor-config.ts';
import type { Counting } from '#pipeline/component-figures.ts';
import type { TraceSink } from '#pipeline/trace-sink.ts';
import type { RequestRecord } from '#storage/tracestore.ts';
import { Downstream, type ProcessorParts } from './downstream.ts';
import { RowCopier } from './row-copier.ts';
import { SpanMatcher } from './span-matcher.ts';

/** Drops spans that are not included, or are excluded. Their senders are told that they were taken. */
export class FilterProcessor implements TraceSink, Counting {
  readonly #matcher: SpanMatcher;
  readonly #downstream: Downstream;
  readonly #copier = new RowCopier();

  /** @throws {SpoorError} config: a pattern is not understood */
  constructor(config: FilterProcessorConfig, parts: ProcessorParts) {
    this.#matcher = SpanMatcher.ofPair(`processors.${parts.name}.spans`, config.spans);
    this.#downstream = new Downstream(parts, 'filtered');
  }

  figures(): ReturnType<Counting['figures']> {
    return this.#downstream.figures();
  }

  async write(
    tenant: Tenant,
    batch: SpanBatch,
    requests?: readonly RequestRecord[],
  ): Promise<void> {
    const kept = this.#copier.keep(batch, this.#matcher.select(batch));
    await this.#downstream.write(tenant, batch, kept, requests);
  }
}
