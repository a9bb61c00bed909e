// SPDX-License-Identifier: Apache-2.0
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { symbolText } from '@spoor/core/model/span-reader.ts';
import type { SpanMetrics } from './tracestore.ts';

/** {@link SpanMetrics} of all series as columns: a hundred thousand of them go from thread to thread in no time. */
export interface SpanMetricsTable {
  readonly services: readonly string[];
  /** One a series, in their order: place in `services`. */
  readonly service: Uint32Array<ArrayBuffer>;
  /** One a series. */
  readonly operations: {
    readonly offsets: Uint32Array<ArrayBuffer>;
    readonly bytes: Uint8Array<ArrayBuffer>;
  };
  /** Where the minutes of each series begin; one more for the end. */
  readonly first: Uint32Array<ArrayBuffer>;
  readonly minutes: MinuteColumns;
}

/** Minutes of one series after the other; see `MinuteMetrics`. */
export interface MinuteColumns {
  readonly minute: Uint32Array<ArrayBuffer>;
  readonly calls: Float64Array<ArrayBuffer>;
  readonly errors: Float64Array<ArrayBuffer>;
  readonly start: Uint32Array<ArrayBuffer>;
  readonly bucket: Uint32Array<ArrayBuffer>;
  readonly count: Float64Array<ArrayBuffer>;
}

/** The memory of a table, to be given away. */
export function buffersOfTable({
  service,
  operations,
  first,
  minutes,
}: SpanMetricsTable): ArrayBuffer[] {
  const { minute, calls, errors, start, bucket, count } = minutes;
  const { offsets, bytes } = operations;
  const all = [service, offsets, bytes, first, minute, calls, errors, start, bucket, count];
  return all.map(({ buffer }) => buffer);
}

/** Series of a table, each made when it is its turn. */
export function* unpackSpanMetrics(table: SpanMetricsTable): Generator<SpanMetrics> {
  const { services, service, operations, first, minutes } = table;
  const names: SymbolTable = { ...operations, count: service.length, hashes: undefined };
  for (let series = 0; series < service.length; series++) {
    const [from, end] = [first[series]!, first[series + 1]!];
    const [cells, cellsEnd] = [minutes.start[from]!, minutes.start[end]!];
    yield {
      service: services[service[series]!]!,
      operation: symbolText(names, series),
      minutes: {
        minute: minutes.minute.subarray(from, end),
        calls: minutes.calls.subarray(from, end),
        errors: minutes.errors.subarray(from, end),
        start: minutes.start.subarray(from, end + 1).map((cell) => cell - cells),
        latency: {
          bucket: minutes.bucket.subarray(cells, cellsEnd),
          count: minutes.count.subarray(cells, cellsEnd),
        },
      },
    };
  }
}
