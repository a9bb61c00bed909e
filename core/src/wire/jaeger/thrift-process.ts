// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '#model/attributes.ts';
import { decodeText, encodeText } from '#model/utf8.ts';
import { SymbolCache } from '#wire/otlp/symbol-cache.ts';
import { SymbolWriter } from '#wire/mapping/symbol-writer.ts';
import { skipThrift, ThriftType, type ThriftReader } from '#wire/thrift/thrift-reader.ts';
import { JaegerTag } from './tag.ts';
import type { ThriftTagReader } from './thrift-tag-reader.ts';

/** Makes resources of Thrift's `Process` structs: the service's name, then the tags as they are. */
export class ThriftProcessReader {
  readonly #reader: ThriftReader;
  readonly #tags: ThriftTagReader;
  readonly #tag = new JaegerTag();
  readonly #symbols = new SymbolWriter();
  readonly #cache = new SymbolCache();

  constructor(reader: ThriftReader, tags: ThriftTagReader) {
    this.#reader = reader;
    this.#tags = tags;
  }

  /** Symbol of the process in `[start, end)` of the reader's bytes; its position stays. */
  symbol(start: number, end: number): Uint8Array {
    const reader = this.#reader;
    return this.#cache.get(reader.bytes.subarray(start, end), EMPTY, () => this.#make(start));
  }

  /** Name of the service and tag `client-uuid` of the process at `start`; the reader's position stays. */
  identify(start: number): { service: string; clientId: string } {
    const { bytes } = this.#reader;
    const found = { service: '', clientId: '' };
    this.#read(
      start,
      (from, to) => {
        found.service = decodeText(bytes, from, to);
      },
      () => {
        const tag = this.#tag;
        if (!tag.isString || decodeText(bytes, tag.keyStart, tag.keyEnd) !== 'client-uuid') return;
        found.clientId = decodeText(bytes, tag.start, tag.end);
      },
    );
    return found;
  }

  #make(start: number): Uint8Array<ArrayBuffer> {
    const { bytes } = this.#reader;
    const symbols = this.#symbols;
    const tag = this.#tag;
    symbols.beginResource();
    this.#read(
      start,
      (from, to) => {
        const key = SERVICE_NAME;
        if (to > from) {
          symbols.attribute(ValueType.string, key, 0, key.length, bytes, from, to);
        }
      },
      () => {
        const { type, keyStart, keyEnd, value } = tag;
        symbols.attribute(type, bytes, keyStart, keyEnd, value, tag.start, tag.end);
      },
    );
    symbols.endResource();
    return symbols.toBytes();
  }

  /** Goes through a process; the tag is in `#tag` at each call. */
  #read(start: number, onService: (from: number, to: number) => void, onTag: () => void): void {
    const reader = this.#reader;
    const { position } = reader;
    this.#tag.body = reader.bytes;
    reader.position = start;
    for (let id = 0; ;) {
      const type = reader.field(id);
      if (type === ThriftType.stop) break;
      id = reader.fieldId;
      if (id === 1 && type === ThriftType.string) {
        reader.string();
        onService(reader.start, reader.end);
      } else if (id === 2 && type === ThriftType.list) {
        const count = reader.list();
        const { itemType } = reader;
        for (let i = 0; i < count; i++) {
          if (itemType === ThriftType.struct) {
            this.#tags.read(this.#tag);
            onTag();
          } else skipThrift(reader, itemType);
        }
      } else skipThrift(reader, type);
    }
    reader.position = position;
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);
const SERVICE_NAME = encodeText('service.name');
