// SPDX-License-Identifier: Apache-2.0
import { type AttributeLevel, ValueType } from '#model/attributes.ts';
import type { BatchBuilder } from '#model/batch-builder.ts';
import { ProtoReader } from '#wire/protobuf/reader.ts';
import { type CanonicalWriter, MessageParts, type ScannedValue, TooDeep } from './canonical.ts';
import { addIntField } from './int-field.ts';

/** Decodes the attributes of spans, events and links, and adds the fields that few of these have. */
export class AttributeDecoder {
  /** Where attributes go. */
  builder!: BatchBuilder;
  readonly #reader: ProtoReader;
  readonly #canonical: CanonicalWriter;
  readonly #value: ScannedValue = { type: 0, bytes: EMPTY, start: 0, end: 0 };

  /** @param reader of the request: attributes are read from where it stands */
  constructor(reader: ProtoReader, canonical: CanonicalWriter) {
    this.#reader = reader;
    this.#canonical = canonical;
  }

  /** Decodes a `KeyValue`. @returns false when its value is nested too deep */
  attribute(level: AttributeLevel, end: number): boolean {
    const reader = this.#reader;
    const start = reader.position;
    if (this.builder.repeat(level, reader.bytes, start, end)) {
      reader.position = end;
      return true;
    }
    const unknownFields = this.#canonical.unknownFields;
    if (!this.#newAttribute(level, end)) return false;
    // Unknown fields are counted each time, which a repeated attribute is not looked through for.
    if (this.#canonical.unknownFields === unknownFields) {
      this.builder.remember(level, reader.bytes, start, end);
    }
    return true;
  }

  #newAttribute(level: AttributeLevel, end: number): boolean {
    const reader = this.#reader;
    const bytes = reader.bytes;
    let at = reader.position;
    // The usual form: a key of under 128 bytes, then a value that fills the rest.
    if (at + 2 < end && bytes[at] === 10 && bytes[at + 1]! < 128) {
      const keyStart = at + 2;
      const keyEnd = keyStart + bytes[at + 1]!;
      at = keyEnd;
      if (at + 2 <= end && bytes[at] === 18) {
        reader.position = at + 1;
        const valueEnd = reader.length(end) + reader.position;
        if (valueEnd === end) return this.#keyedValue(level, keyStart, keyEnd, end);
      }
      reader.position = keyStart - 2;
    }
    return this.#unusualAttribute(level, end);
  }

  #keyedValue(level: AttributeLevel, keyStart: number, keyEnd: number, end: number): boolean {
    const reader = this.#reader;
    const bytes = reader.bytes;
    const at = reader.position;
    if (at + 1 < end && bytes[at] === 10) {
      reader.position = at + 1;
      const valueEnd = reader.length(end) + reader.position;
      if (valueEnd === end) {
        const start = reader.position;
        this.builder.attribute(level, ValueType.string, bytes, keyStart, keyEnd, bytes, start, end);
        reader.position = end;
        return true;
      }
      reader.position = at;
    }
    const value = this.#value;
    try {
      this.#canonical.scanValue(reader, end, value);
    } catch (error) {
      if (!(error instanceof TooDeep)) throw error;
      reader.position = end;
      return false;
    }
    this.builder.attribute(
      level,
      value.type,
      bytes,
      keyStart,
      keyEnd,
      value.bytes,
      value.start,
      value.end,
    );
    return true;
  }

  /** A `KeyValue` with fields missing, repeated, unknown or in another order. */
  #unusualAttribute(level: AttributeLevel, end: number): boolean {
    const reader = this.#reader;
    let keyStart = end;
    let keyEnd = end;
    let parts: MessageParts | undefined;
    while (reader.position < end) {
      const tag = reader.tag(end);
      if (tag === 10) {
        keyEnd = reader.length(end);
        keyStart = reader.position;
        reader.position = keyEnd += keyStart;
      } else if (tag === 18) {
        const length = reader.length(end);
        parts = MessageParts.join(
          parts,
          reader.bytes.subarray(reader.position, reader.position + length),
        );
        reader.position += length;
      } else this.unknown(tag, end, 2);
    }
    const scanned = this.#value;
    if (parts === undefined) {
      scanned.type = ValueType.absent;
      scanned.bytes = EMPTY;
      scanned.start = scanned.end = 0;
    } else {
      try {
        const value = parts.bytes;
        this.#canonical.scanValue(new ProtoReader('otlp', value), value.length, scanned);
      } catch (error) {
        if (!(error instanceof TooDeep)) throw error;
        return false;
      }
    }
    this.builder.attribute(
      level,
      scanned.type,
      reader.bytes,
      keyStart,
      keyEnd,
      scanned.bytes,
      scanned.start,
      scanned.end,
    );
    return true;
  }

  /** Adds a text of the body as a field. */
  textField(level: AttributeLevel, key: Uint8Array, start: number, end: number): void {
    const { bytes } = this.#reader;
    this.builder.attribute(level, ValueType.string, key, 0, key.length, bytes, start, end);
  }

  /** Adds a number as a field. */
  intField(level: AttributeLevel, key: Uint8Array, lo: number, hi: number): void {
    addIntField(this.builder, level, key, lo, hi);
  }

  /** Adds a field that only says that it is there. */
  emptyField(level: AttributeLevel, key: Uint8Array): void {
    this.builder.attribute(level, ValueType.empty, key, 0, key.length, EMPTY, 0, 0);
  }

  /** Passes over an unknown field; a known one gets here only by a wrong wire type. */
  unknown(tag: number, end: number, lastKnownField: number, retiredField = 0): void {
    const field = tag >>> 3;
    if (field <= lastKnownField && field !== retiredField) {
      this.#reader.fail(`field ${field} has wire type ${tag & 7}`);
    }
    this.#canonical.unknownFields++;
    this.#reader.skip(tag, end);
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);
