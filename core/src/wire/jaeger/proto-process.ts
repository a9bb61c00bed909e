// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '#model/attributes.ts';
import { encodeText } from '#model/utf8.ts';
import { SymbolCache } from '#wire/otlp/symbol-cache.ts';
import { SymbolWriter } from '#wire/mapping/symbol-writer.ts';
import { passUnknown } from '#wire/mapping/proto-fields.ts';
import type { ProtoReader } from '#wire/protobuf/reader.ts';
import type { ProtoTagReader } from './proto-tag-reader.ts';
import { JaegerTag } from './tag.ts';

/** Makes resources of `Process` messages: the service's name, then the tags as they are. */
export class ProtoProcessReader {
  readonly #reader: ProtoReader;
  readonly #tags: ProtoTagReader;
  readonly #tag = new JaegerTag();
  readonly #symbols = new SymbolWriter();
  readonly #cache = new SymbolCache();

  constructor(reader: ProtoReader, tags: ProtoTagReader) {
    this.#reader = reader;
    this.#tags = tags;
  }

  /** Symbol of the process in `[start, end)` of the reader's bytes; its position stays. */
  symbol(start: number, end: number): Uint8Array {
    const reader = this.#reader;
    const { position } = reader;
    const message = reader.bytes.subarray(start, end);
    const symbol = this.#cache.get(message, EMPTY, () => this.#make(start, end));
    reader.position = position;
    return symbol;
  }

  #make(start: number, end: number): Uint8Array<ArrayBuffer> {
    const reader = this.#reader;
    const { bytes } = reader;
    const symbols = this.#symbols;
    const tag = this.#tag;
    tag.body = bytes;
    symbols.beginResource();
    // The name goes first, wherever it stands.
    const [nameStart, nameEnd] = this.#name(start, end);
    if (nameEnd > nameStart) {
      const key = SERVICE_NAME;
      symbols.attribute(ValueType.string, key, 0, key.length, bytes, nameStart, nameEnd);
    }
    reader.position = start;
    while (reader.position < end) {
      const field = reader.tag(end);
      if (field === 18) {
        const tagEnd = reader.length(end) + reader.position;
        this.#tags.read(tag, tagEnd);
        const { type, keyStart, keyEnd, value } = tag;
        symbols.attribute(type, bytes, keyStart, keyEnd, value, tag.start, tag.end);
      } else reader.skip(field, end);
    }
    symbols.endResource();
    return symbols.toBytes();
  }

  #name(start: number, end: number): [number, number] {
    const reader = this.#reader;
    let name: [number, number] = [0, 0];
    reader.position = start;
    while (reader.position < end) {
      const field = reader.tag(end);
      if (field === 10) {
        const length = reader.length(end);
        name = [reader.position, reader.position + length];
        reader.position += length;
      } else if (field === 18) reader.skip(field, end);
      else passUnknown(reader, field, end, 2);
    }
    return name;
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);
const SERVICE_NAME = encodeText('service.name');
