// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '#model/attributes.ts';
import { equalBytes } from '#model/symbol-interner.ts';
import { encodeText } from '#model/utf8.ts';
import { ProtoReader } from '#wire/protobuf/reader.ts';
import type { ValueTest } from './value-test.ts';

/** Tags of an attribute in a `Resource` and in an `InstrumentationScope`. */
export const RESOURCE_ATTRIBUTE_TAG = 10;
export const SCOPE_ATTRIBUTE_TAG = 26;

/** Tag of the message itself in the symbol of a resource or scope. */
const MESSAGE_TAG = 10;
/** Tags of a `KeyValue`. */
const KEY_TAG = 10;
const VALUE_TAG = 18;

const SERVICE_NAME = encodeText('service.name');

/**
 * Reads attributes in the canonical bytes of resources and scopes, where `SpanColumns` keeps them,
 * without making objects of them.
 */
export class SymbolAttributes {
  readonly #reader = new ProtoReader('symbol');
  /** Where the attribute under the cursor has its key; where its value begins, -1 without one. */
  #keyStart = 0;
  #keyEnd = 0;
  #valueStart = -1;
  #valueEnd = 0;

  /** Whether a value of `key` in the symbol `bytes[start, end)` passes. */
  some(
    bytes: Uint8Array,
    start: number,
    end: number,
    tag: number,
    key: Uint8Array,
    test: ValueTest,
  ): boolean {
    const reader = this.#reader;
    const messageEnd = this.#enter(bytes, start, end);
    while (this.#next(messageEnd, tag)) {
      if (!this.#isKey(key)) continue;
      if (this.#valueStart < 0) {
        if (test.passesAll) return true;
        continue;
      }
      const resume = reader.position;
      reader.position = this.#valueStart;
      if (test.passesMessage(reader, this.#valueEnd)) return true;
      reader.position = resume;
    }
    return false;
  }

  /** Whether the service name of a resource passes; it is the empty text where there is none. */
  serviceNamePasses(bytes: Uint8Array, start: number, end: number, test: ValueTest): boolean {
    const reader = this.#reader;
    const messageEnd = this.#enter(bytes, start, end);
    let nameStart = start;
    let nameEnd = start;
    while (this.#next(messageEnd, RESOURCE_ATTRIBUTE_TAG)) {
      if (!this.#isKey(SERVICE_NAME)) continue;
      // The last one counts, whatever its type.
      nameStart = nameEnd = start;
      if (this.#valueStart < 0 || this.#valueStart === this.#valueEnd) continue;
      const resume = reader.position;
      reader.position = this.#valueStart;
      if (reader.tag(this.#valueEnd) >>> 3 === ValueType.string) {
        const length = reader.length(this.#valueEnd);
        nameStart = reader.position;
        nameEnd = nameStart + length;
      }
      reader.position = resume;
    }
    return test.passesText(bytes, nameStart, nameEnd);
  }

  /** Goes to the first field of the message; returns where it ends. */
  #enter(bytes: Uint8Array, start: number, end: number): number {
    const reader = this.#reader;
    reader.bytes = bytes;
    reader.position = start;
    if (start === end || reader.tag(end) !== MESSAGE_TAG) return (reader.position = end);
    const length = reader.length(end);
    return reader.position + length;
  }

  /** Goes to the next attribute. */
  #next(messageEnd: number, attributeTag: number): boolean {
    const reader = this.#reader;
    while (reader.position < messageEnd) {
      const tag = reader.tag(messageEnd);
      if (tag !== attributeTag) {
        reader.skip(tag, messageEnd);
        continue;
      }
      const length = reader.length(messageEnd);
      const end = reader.position + length;
      this.#keyStart = this.#keyEnd = 0;
      this.#valueStart = -1;
      while (reader.position < end) {
        const field = reader.tag(end);
        const size = reader.length(end);
        if (field === KEY_TAG) {
          this.#keyStart = reader.position;
          this.#keyEnd = reader.position + size;
        } else if (field === VALUE_TAG) {
          this.#valueStart = reader.position;
          this.#valueEnd = reader.position + size;
        }
        reader.position += size;
      }
      return true;
    }
    return false;
  }

  #isKey(key: Uint8Array): boolean {
    const length = this.#keyEnd - this.#keyStart;
    return length === key.length && equalBytes(this.#reader.bytes, this.#keyStart, key, 0, length);
  }
}
