// SPDX-License-Identifier: Apache-2.0
import { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import { formatTraceId, type Tenant, type TraceId } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { SpanCopier } from '@spoor/core/model/span-copier.ts';

/** Heap of the objects of a batch, of each of its attribute columns, traces and rows; measured, rounded up. */
const BATCH_OVERHEAD_BYTES = 5000;
const COLUMN_OVERHEAD_BYTES = 600;
const TRACE_OVERHEAD_BYTES = 400;
const ROW_OVERHEAD_BYTES = 8;

/** A batch in memory, with where its traces are. It never changes. */
export class StoredBatch {
  readonly tenant: Tenant;
  readonly batch: SpanBatch;
  /** Ascending rows of each trace. */
  readonly rowsOf: ReadonlyMap<TraceId, readonly number[]>;
  /** What it takes, with its objects. */
  readonly sizeBytes: number;

  constructor(tenant: Tenant, batch: SpanBatch) {
    this.tenant = tenant;
    this.batch = batch;
    const rowsOf = new Map<TraceId, number[]>();
    for (let row = 0; row < batch.rows; row++) {
      const id = formatTraceId(batch.traceId, row * 16);
      const rows = rowsOf.get(id);
      if (rows === undefined) rowsOf.set(id, [row]);
      else rows.push(row);
    }
    this.rowsOf = rowsOf;
    this.sizeBytes =
      batch.bytes.length +
      BATCH_OVERHEAD_BYTES +
      COLUMN_OVERHEAD_BYTES * batch.columns.length +
      TRACE_OVERHEAD_BYTES * rowsOf.size +
      ROW_OVERHEAD_BYTES * batch.rows;
  }

  get rows(): number {
    return this.batch.rows;
  }

  /** The spans of this batch and a later one of the same tenant in one. */
  join(later: StoredBatch): StoredBatch {
    const builder = new BatchBuilder(this.rows + later.rows);
    for (const { batch } of [this, later]) {
      const copier = new SpanCopier(batch, builder);
      for (let row = 0; row < batch.rows; row++) copier.copy(row);
    }
    return new StoredBatch(this.tenant, builder.finish());
  }
}
