// SPDX-License-Identifier: Apache-2.0
import type { DecodeProgress } from '#model/decode-progress.ts';
import { skipThrift, ThriftType, type ThriftReader } from '#wire/thrift/thrift-reader.ts';
import type { JaegerClientReport } from './client-report.ts';
import { ThriftProcessReader } from './thrift-process.ts';
import { ThriftSpanReader } from './thrift-span-reader.ts';
import { ThriftTagReader } from './thrift-tag-reader.ts';

/**
 * Decodes Thrift's `Batch` structs of Jaeger straight into a batch builder.
 * @see https://github.com/jaegertracing/jaeger-idl/blob/v0.6.0/thrift/jaeger.thrift
 */
export class ThriftBatchDecoder {
  /** What the client of the last batch said of itself. */
  report: JaegerClientReport | undefined;
  readonly #reader: ThriftReader;
  readonly #progress: DecodeProgress;
  readonly #processes: ThriftProcessReader;
  readonly #spans: ThriftSpanReader;

  /** @param reader stands at the batch when it is decoded */
  constructor(reader: ThriftReader, progress: DecodeProgress) {
    this.#reader = reader;
    this.#progress = progress;
    const tags = new ThriftTagReader(reader);
    this.#processes = new ThriftProcessReader(reader, tags);
    this.#spans = new ThriftSpanReader(reader, tags);
  }

  /** Decodes the batch at the reader's position; yields when a slice is full. */
  *decode(): Generator<void, void, void> {
    const reader = this.#reader;
    const progress = this.#progress;
    this.report = undefined;
    const processStart = this.#findProcess();
    const process = processStart < 0 ? NO_PROCESS : this.#process(processStart);
    let stats: Stats | undefined;
    let batches = 0;
    for (let id = 0; ;) {
      const type = reader.field(id);
      if (type === ThriftType.stop) break;
      id = reader.fieldId;
      if (id === 2 && type === ThriftType.list) {
        const count = reader.list();
        const { itemType } = reader;
        let resource = progress.builder.resources.intern(process, 0, process.length);
        for (let i = 0; i < count; i++) {
          if (itemType !== ThriftType.struct) {
            skipThrift(reader, itemType);
            continue;
          }
          const start = reader.position;
          progress.endSpan(start, this.#spans.read(progress.builder, resource));
          if (progress.isFull) {
            yield;
            resource = progress.builder.resources.intern(process, 0, process.length);
          }
        }
      } else if (id === 3 && type === ThriftType.i64) batches = this.#count();
      else if (id === 4 && type === ThriftType.struct) stats = this.#stats();
      else skipThrift(reader, type);
    }
    if (processStart >= 0 && (batches > 0 || stats !== undefined)) {
      this.report = {
        ...this.#processes.identify(processStart),
        batches,
        ...(stats ?? { fullQueueSpans: 0, tooLargeSpans: 0, failedSpans: 0 }),
      };
    }
  }

  /** Where the process begins, which may stand after the spans, or -1; the position stays. */
  #findProcess(): number {
    const reader = this.#reader;
    const { position } = reader;
    let found = -1;
    for (let id = 0; found < 0;) {
      const type = reader.field(id);
      if (type === ThriftType.stop) break;
      id = reader.fieldId;
      if (id === 1 && type === ThriftType.struct) found = reader.position;
      else skipThrift(reader, type);
    }
    reader.position = position;
    return found;
  }

  #process(start: number): Uint8Array {
    const reader = this.#reader;
    const { position } = reader;
    reader.position = start;
    skipThrift(reader, ThriftType.struct);
    const end = reader.position;
    reader.position = position;
    return this.#processes.symbol(start, end);
  }

  #stats(): Stats {
    const reader = this.#reader;
    const counts = [0, 0, 0];
    for (let id = 0; ;) {
      const type = reader.field(id);
      if (type === ThriftType.stop) break;
      id = reader.fieldId;
      if (type === ThriftType.i64 && id >= 1 && id <= 3) counts[id - 1] = this.#count();
      else skipThrift(reader, type);
    }
    const [fullQueueSpans = 0, tooLargeSpans = 0, failedSpans = 0] = counts;
    return { fullQueueSpans, tooLargeSpans, failedSpans };
  }

  /** An i64 from 0 on; as near as a double comes. */
  #count(): number {
    const reader = this.#reader;
    reader.i64();
    return reader.hi >= 2 ** 31 ? 0 : reader.hi * 2 ** 32 + reader.lo;
  }
}

type Stats = Pick<JaegerClientReport, 'fullQueueSpans' | 'tooLargeSpans' | 'failedSpans'>;

/** Symbol of a resource that was not sent. */
const NO_PROCESS: Uint8Array = new Uint8Array(0);
