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
    return this.#make(() => {
      const copier = new SpanCopier(batch, this.#builder);
      for (const row of rows.toRows()) copier.copy(row);
    });
  }

  /** The rows of a set, at least one, each changed by the edit that is told for it. */
  edit(batch: SpanBatch, rows: RowSet, editOf: (row: number) => SpanEdit | undefined): SpanBatch {
    return this.#make(() => {
      const copier = new SpanCopier(batch, this.#builder);
      for (const row of rows.toRows()) copier.copy(row, editOf(row));
    });
  }

  /** All rows of several batches. */
  join(batches: readonly SpanBatch[]): SpanBatch {
    return this.#make(() => {
      for (const batch of batches) {
        const copier = new SpanCopier(batch, this.#builder);
        for (let row = 0; row < batch.rows; row++) copier.copy(row);
      }
    });
  }

  /** The rows `[start, end)`. */
  slice(batch: SpanBatch, start: number, end: number): SpanBatch {
    return this.#make(() => {
      const copier = new SpanCopier(batch, this.#builder);
      for (let row = start; row < end; row++) copier.copy(row);
    });
  }

  /** A batch of what is copied. What fails leaves nothing behind for the next one, which may be of another tenant. */
  #make(copy: () => void): SpanBatch {
    try {
      copy();
      return this.#builder.finish();
    } catch (error) {
      this.#builder.clear();
      throw error;
    }
  }
}
