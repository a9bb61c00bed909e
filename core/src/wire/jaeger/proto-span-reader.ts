// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel, ValueType } from '#model/attributes.ts';
import type { BatchBuilder } from '#model/batch-builder.ts';
import { Nanos } from '#model/nanos.ts';
import { encodeText } from '#model/utf8.ts';
import { passUnknown } from '#wire/mapping/proto-fields.ts';
import type { ProtoReader } from '#wire/protobuf/reader.ts';
import { ProtoWriter } from '#wire/protobuf/writer.ts';
import { JaegerRow } from './jaeger-row.ts';
import type { ProtoProcessReader } from './proto-process.ts';
import type { ProtoTagReader } from './proto-tag-reader.ts';
import { ProtoTime } from './proto-time.ts';

/** Reads `Span` messages into rows of a batch builder. */
export class ProtoSpanReader {
  readonly #reader: ProtoReader;
  readonly #tags: ProtoTagReader;
  readonly #processes: ProtoProcessReader;
  readonly #row = new JaegerRow();
  readonly #time = new ProtoTime();
  readonly #nanos = new Nanos();
  /** `ArrayValue` of the warnings of the span under way. */
  readonly #warnings = new ProtoWriter(64);

  constructor(reader: ProtoReader, tags: ProtoTagReader, processes: ProtoProcessReader) {
    this.#reader = reader;
    this.#tags = tags;
    this.#processes = processes;
  }

  /**
   * Reads the message in `[reader.position, end)` into a row, which is then to be closed or taken back.
   * @param batchResource code of the batch's process, for a span that has none itself
   * @returns what is wrong with the span; empty when nothing is
   */
  read(builder: BatchBuilder, batchResource: number, end: number): string {
    const reader = this.#reader;
    const row = this.#row;
    const time = this.#time;
    const nanos = this.#nanos;
    row.begin(builder, reader.bytes);
    this.#warnings.reuse();
    const at = row.row;
    let processStart = -1;
    let processEnd = -1;
    while (reader.position < end) {
      const fieldStart = reader.position;
      const field = reader.tag(end);
      switch (field) {
        case 10:
          this.#id(end, builder.traceId, at * 16, 16, 'trace id');
          break;
        case 18:
          this.#id(end, builder.spanId, at * 8, 8, 'span id');
          break;
        case 26:
          row.nameEnd = reader.length(end);
          row.nameStart = reader.position;
          reader.position = row.nameEnd += row.nameStart;
          break;
        case 34:
          this.#reference(reader.length(end) + reader.position);
          break;
        case 40:
          row.flags = reader.varint32(end);
          break;
        case 50:
          time.read(reader, reader.length(end) + reader.position);
          if (!time.isValid(false) || !nanos.ofSeconds(time.seconds, time.nanos)) {
            row.problem ||= 'its start is not a time from 1970 to 2554';
          }
          row.startLo = nanos.lo;
          row.startHi = nanos.hi;
          break;
        case 58:
          time.read(reader, reader.length(end) + reader.position);
          if (!time.isValid(true) || !nanos.ofSignedSeconds(time.seconds, time.nanos)) {
            row.problem ||= 'its duration is not one of up to 292 years';
          }
          row.durationLo = nanos.lo;
          row.durationHi = nanos.hi;
          break;
        case 66: {
          const { tag } = row;
          this.#tags.read(tag, reader.length(end) + reader.position);
          // With the field's own tag, so that no attribute of OTLP is encoded in the same bytes.
          tag.encodedStart = fieldStart;
          tag.encodedEnd = reader.position;
          row.addTag();
          break;
        }
        case 74:
          this.#log(reader.length(end) + reader.position);
          break;
        case 82:
          processEnd = reader.length(end);
          processStart = reader.position;
          reader.position = processEnd += processStart;
          break;
        case 98:
          this.#warning(end);
          break;
        case 90:
          reader.skip(field, end);
          break;
        default:
          passUnknown(reader, field, end, 12);
      }
    }
    let resource = batchResource;
    if (processStart >= 0) {
      const symbol = this.#processes.symbol(processStart, processEnd);
      resource = builder.resources.intern(symbol, 0, symbol.length);
    }
    this.#addWarnings(builder);
    return row.finish(resource);
  }

  #id(end: number, target: Uint8Array, at: number, size: number, what: string): void {
    const reader = this.#reader;
    const length = reader.length(end);
    if (length === size) {
      for (let i = 0; i < size; i++) target[at + i] = reader.bytes[reader.position + i]!;
    } else if (length !== 0) {
      this.#row.problem ||= `its ${what} has ${length} bytes, not ${size}`;
    }
    reader.position += length;
  }

  #reference(end: number): void {
    const reader = this.#reader;
    const { references } = this.#row;
    const at = references.add();
    while (reader.position < end) {
      const field = reader.tag(end);
      if (field === 10) this.#id(end, references.ids, at, 16, 'reference to a trace');
      else if (field === 18) this.#id(end, references.ids, at + 16, 8, 'reference to a span');
      else if (field === 24) references.setType(reader.varint32(end));
      else passUnknown(reader, field, end, 3);
    }
  }

  #log(end: number): void {
    const reader = this.#reader;
    const row = this.#row;
    const time = this.#time;
    const nanos = this.#nanos;
    let lo = 0;
    let hi = 0;
    row.beginLog();
    while (reader.position < end) {
      const field = reader.tag(end);
      if (field === 10) {
        time.read(reader, reader.length(end) + reader.position);
        if (!time.isValid(false) || !nanos.ofSeconds(time.seconds, time.nanos)) {
          row.problem ||= 'the time of a log is not from 1970 to 2554';
        }
        lo = nanos.lo;
        hi = nanos.hi;
      } else if (field === 18) {
        this.#tags.read(row.tag, reader.length(end) + reader.position);
        row.addField();
      } else passUnknown(reader, field, end, 2);
    }
    row.endLog(lo, hi);
  }

  #warning(end: number): void {
    const reader = this.#reader;
    const { bytes } = reader;
    const length = reader.length(end);
    const from = reader.position;
    const to = from + length;
    const value = this.#warnings.begin(1);
    this.#warnings.textField(1, bytes, from, to);
    this.#warnings.end(value);
    reader.position = to;
  }

  #addWarnings(builder: BatchBuilder): void {
    const { bytes, length } = this.#warnings;
    if (length === 0) return;
    const { span } = AttributeLevel;
    const { array } = ValueType;
    builder.attribute(span, array, WARNINGS_KEY, 0, WARNINGS_KEY.length, bytes, 0, length);
  }
}

/** Where Jaeger itself keeps warnings among attributes. */
const WARNINGS_KEY = encodeText('@jaeger@warnings');
