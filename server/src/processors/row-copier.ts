// SPDX-License-Identifier: Apache-2.0
import { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { SpanCopier } from '@spoor/core/model/span-copier.ts';
import type { SpanEdit } from '@spoor/core/model/span-edit.ts';
import type { RowSet } from '@spoor/core/query/row-set.ts';

/** Makes batches out of rows of others. */
export class RowCopier {
  readonly #builder = new BatchBuilder();

  /** The rows of a set; the batch itself when these are all, undefined when there are none. */
  keep(batch: SpanBatch, rows: RowSet): SpanBatch | undefined {
    const count = rows.count(0, batch.rows);
    if (count === batch.rows) return batch;
    if (count === 0) return undefined;
    const copier = new SpanCopier(batch, this.#builder);
    for (const row of rows.toRows()) copier.copy(row);
    return this.#builder.finish();
  }

  /** The rows of a set, at least one, each changed by the edit that is told for it. */
  edit(batch: SpanBatch, rows: RowSet, editOf: (row: number) => SpanEdit | undefined): SpanBatch {
    const copier = new SpanCopier(batch, this.#builder);
    for (const row of rows.toRows()) copier.copy(row, editOf(row));
    return this.#builder.finish();
  }

  /** All rows of several batches. */
  join(batches: readonly SpanBatch[]): SpanBatch {
    for (const batch of batches) {
      const copier = new SpanCopier(batch, this.#builder);
      for (let row = 0; row < batch.rows; row++) copier.copy(row);
    }
    return this.#builder.finish();
  }

  /** The rows `[start, end)`. */
  slice(batch: SpanBatch, start: number, end: number): SpanBatch {
    const copier = new SpanCopier(batch, this.#builder);
    for (let row = start; row < end; row++) copier.copy(row);
    return this.#builder.finish();
  }
}
