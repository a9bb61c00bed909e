// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '#model/attributes.ts';
import { hashBytes, viewOf, type SymbolInterner } from '#model/symbol-interner.ts';
import { checkSymbolSize } from '#model/symbol-size.ts';
import { getUint32 } from '#model/uint32.ts';
import { ProtoWriter } from '#wire/protobuf/writer.ts';
import type { TagText } from './tag-text.ts';

/**
 * Writes the symbols of resources and scopes that came in another format than OTLP: the canonical bytes that `CanonicalWriter`
 * makes of the same content in OTLP.
 */
export class SymbolWriter {
  readonly #writer = new ProtoWriter(512);
  #start = 0;
  /** Of the symbol that is written; 0 until it is asked for. */
  #hash = 0;
  #viewed: Uint8Array = this.#writer.bytes;
  #view = viewOf(this.#viewed);

  /** A copy of the symbol. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return this.#writer.toBytes();
  }

  /** Code of the symbol in a table. It may be asked for again and again, until the next one is begun. */
  intern(table: SymbolInterner): number {
    const { bytes, length } = this.#writer;
    if (this.#hash === 0) this.#hash = hashBytes(bytes, 0, length);
    if (this.#viewed !== bytes) {
      this.#viewed = bytes;
      this.#view = viewOf(bytes);
    }
    return table.internHashed(bytes, 0, length, this.#hash, this.#view);
  }

  /** Begins a resource. */
  beginResource(): void {
    this.#start = this.#begin().begin(1);
  }

  /** Adds an attribute of canonical bytes to the resource; lists are not for here. */
  attribute(
    type: ValueType,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    start: number,
    end: number,
  ): void {
    const writer = this.#writer;
    const attribute = writer.begin(1);
    this.#text(1, key, keyStart, keyEnd);
    if (type !== ValueType.absent) {
      const any = writer.begin(2);
      this.#value(type, value, start, end);
      writer.end(any);
    }
    writer.end(attribute);
  }

  /** Adds an attribute that is a text. */
  textAttribute(key: TagText, { bytes, start, end }: TagText): void {
    this.attribute(ValueType.string, key.bytes, key.start, key.end, bytes, start, end);
  }

  /** Ends the resource. @throws {SpoorError} too_large */
  endResource(): void {
    this.#end(this.#start);
  }

  /** Writes the symbol of a scope with a name and a version. @throws {SpoorError} too_large */
  scope(name: TagText, version: TagText): void {
    const writer = this.#begin();
    const start = writer.begin(1);
    this.#text(1, name.bytes, name.start, name.end);
    this.#text(2, version.bytes, version.start, version.end);
    this.#end(start);
  }

  #end(start: number): void {
    this.#writer.end(start);
    try {
      checkSymbolSize(this.#writer.length);
    } catch (error) {
      // Nothing of it stays, nor the room that it took.
      this.#begin();
      throw error;
    }
  }

  /** The writer, for a symbol anew. */
  #begin(): ProtoWriter {
    this.#hash = 0;
    this.#writer.reuse();
    return this.#writer;
  }

  #value(type: ValueType, value: Uint8Array, start: number, end: number): void {
    const writer = this.#writer;
    switch (type) {
      case ValueType.bool:
        writer.varint(type * 8);
        writer.varint(value[start]!);
        return;
      case ValueType.int:
        writer.varint(type * 8);
        writer.varint64(getUint32(value, start), getUint32(value, start + 4));
        return;
      case ValueType.double:
        writer.varint(type * 8 + 1);
        writer.raw(value, start, end);
        return;
      case ValueType.bytes:
        writer.bytesField(type, value, start, end);
        return;
      default:
        writer.textField(ValueType.string, value, start, end);
    }
  }

  #text(field: number, bytes: Uint8Array, start: number, end: number): void {
    if (end > start) this.#writer.textField(field, bytes, start, end);
  }
}
