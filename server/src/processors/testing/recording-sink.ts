// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { SpanReader } from '@spoor/core/model/span-reader.ts';
import type { Counting } from '#pipeline/component-figures.ts';
import type { TraceSink } from '#pipeline/trace-sink.ts';
import type { RequestRecord } from '#storage/tracestore.ts';

/** One write that a {@link RecordingSink} got. */
interface RecordedWrite {
  readonly tenant: Tenant;
  readonly batch: SpanBatch;
  readonly requests: readonly RequestRecord[];
  /** Answers the write. */
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A sink that keeps what it is given, and answers at once or when it is told to. */
export class RecordingSink implements TraceSink {
  readonly writes: RecordedWrite[] = [];
  readonly #waits: boolean;

  /** @param waits whether writes wait for `resolve` or `reject` */
  constructor({ waits = false } = {}) {
    this.#waits = waits;
  }

  write(tenant: Tenant, batch: SpanBatch, requests: readonly RequestRecord[] = []): Promise<void> {
    return new Promise((resolve, reject) => {
      this.writes.push({ tenant, batch, requests, resolve, reject });
      if (!this.#waits) resolve();
    });
  }

  /** All spans that came, in order. */
  get spans(): Span[] {
    return this.writes.flatMap(({ batch }) => spansOf(batch));
  }
}

/** The spans of a batch. */
export function spansOf(batch: SpanBatch): Span[] {
  const reader = new SpanReader(batch);
  return Array.from({ length: batch.rows }, (_, row) => reader.read(row));
}

/** What a processor has counted, by name of the metric. */
export function countsOf(processor: Counting): Readonly<Record<string, number>> {
  return Object.fromEntries([...processor.figures()].map(({ name, value }) => [name, value]));
}
