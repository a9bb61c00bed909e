// SPDX-License-Identifier: Apache-2.0
import type { BatchBuilder } from '#model/batch-builder.ts';
import { Nanos } from '#model/nanos.ts';
import {
  putThriftId,
  skipThrift,
  ThriftType,
  type ThriftReader,
} from '#wire/thrift/thrift-reader.ts';
import { JaegerRow } from './jaeger-row.ts';
import type { ThriftTagReader } from './thrift-tag-reader.ts';

/** Reads Thrift's `Span` structs into rows of a batch builder. */
export class ThriftSpanReader {
  readonly #reader: ThriftReader;
  readonly #tags: ThriftTagReader;
  readonly #row = new JaegerRow();
  readonly #nanos = new Nanos();

  constructor(reader: ThriftReader, tags: ThriftTagReader) {
    this.#reader = reader;
    this.#tags = tags;
  }

  /**
   * Reads the struct at the reader's position into a row, which is then to be closed or taken back.
   * @param resource code of its process
   * @returns what is wrong with the span; empty when nothing is
   */
  read(builder: BatchBuilder, resource: number): string {
    const reader = this.#reader;
    const row = this.#row;
    const nanos = this.#nanos;
    row.begin(builder, reader.bytes);
    const at = row.row;
    for (let id = 0; ;) {
      const type = reader.field(id);
      if (type === ThriftType.stop) break;
      id = reader.fieldId;
      if (type === ThriftType.i64) {
        reader.i64();
        if (id === 1) putThriftId(reader, builder.traceId, at * 16 + 8);
        else if (id === 2) putThriftId(reader, builder.traceId, at * 16);
        else if (id === 3) putThriftId(reader, builder.spanId, at * 8);
        else if (id === 4) putThriftId(reader, builder.parentSpanId, at * 8);
        else if (id === 8) {
          if (!nanos.ofMicros(reader.lo, reader.hi)) row.problem ||= BAD_START;
          row.startLo = nanos.lo;
          row.startHi = nanos.hi;
        } else if (id === 9) {
          if (!nanos.ofSignedMicros(reader.lo, reader.hi)) row.problem ||= BAD_DURATION;
          row.durationLo = nanos.lo;
          row.durationHi = nanos.hi;
        }
      } else if (type === ThriftType.list) {
        const count = reader.list();
        const { itemType } = reader;
        for (let i = 0; i < count; i++) {
          if (itemType !== ThriftType.struct) skipThrift(reader, itemType);
          else if (id === 10) {
            this.#tags.read(row.tag);
            row.addTag();
          } else if (id === 11) this.#log();
          else if (id === 6) this.#reference();
          else skipThrift(reader, itemType);
        }
      } else if (id === 5 && type === ThriftType.string) {
        reader.string();
        row.nameStart = reader.start;
        row.nameEnd = reader.end;
      } else if (id === 7 && type === ThriftType.i32) row.flags = reader.i32();
      else skipThrift(reader, type);
    }
    return row.finish(resource);
  }

  #log(): void {
    const reader = this.#reader;
    const row = this.#row;
    const nanos = this.#nanos;
    row.beginLog();
    let lo = 0;
    let hi = 0;
    for (let id = 0; ;) {
      const type = reader.field(id);
      if (type === ThriftType.stop) break;
      id = reader.fieldId;
      if (id === 1 && type === ThriftType.i64) {
        reader.i64();
        if (!nanos.ofMicros(reader.lo, reader.hi)) row.problem ||= BAD_LOG_TIME;
        lo = nanos.lo;
        hi = nanos.hi;
      } else if (id === 2 && type === ThriftType.list) {
        const count = reader.list();
        const { itemType } = reader;
        for (let i = 0; i < count; i++) {
          if (itemType === ThriftType.struct) {
            this.#tags.read(row.tag);
            row.addField();
          } else skipThrift(reader, itemType);
        }
      } else skipThrift(reader, type);
    }
    row.endLog(lo, hi);
  }

  #reference(): void {
    const reader = this.#reader;
    const { references } = this.#row;
    const at = references.add();
    for (let id = 0; ;) {
      const type = reader.field(id);
      if (type === ThriftType.stop) return;
      id = reader.fieldId;
      if (id === 1 && type === ThriftType.i32) {
        references.setType(reader.i32());
      } else if (type === ThriftType.i64 && id >= 2 && id <= 4) {
        reader.i64();
        putThriftId(reader, references.ids, at + REFERENCE_ID_OFFSETS[id - 2]!);
      } else skipThrift(reader, type);
    }
  }
}

const BAD_START = 'its start is not a time in µs from 1970 to 2554';
const BAD_DURATION = 'its duration is over 292 years';
const BAD_LOG_TIME = 'the time of a log is not in µs from 1970 to 2554';

/** Where in an entry the low and high half of the trace id and the span id go. */
const REFERENCE_ID_OFFSETS: readonly number[] = [8, 0, 16];
