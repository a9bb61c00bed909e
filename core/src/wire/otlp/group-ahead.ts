// SPDX-License-Identifier: Apache-2.0
import type { ProtoReader } from '#wire/protobuf/reader.ts';
import { MessageParts } from './canonical.ts';

const EMPTY: Uint8Array = new Uint8Array(0);

/** A `ResourceSpans` or `ScopeSpans` that is looked through for its resource (scope) and schema URL, which may stand after the spans. */
export class GroupAhead {
  parts: MessageParts | undefined;
  schemaUrl = EMPTY;
  readonly #start: number;

  /** @param start of its fields */
  constructor(start: number) {
    this.#start = start;
  }

  /**
   * Looks through it, or goes on where it was.
   * @param end of its fields
   * @param fields that may be passed
   * @param unknown passes over a field, given its tag
   * @returns how many of the fields are left, with the reader back at the start; -1 when more are needed
   */
  look(reader: ProtoReader, end: number, fields: number, unknown: (tag: number) => void): number {
    while (reader.position < end) {
      if (--fields < 0) return -1;
      const tag = reader.tag(end);
      if (tag !== 10 && tag !== 18 && tag !== 26) {
        unknown(tag);
        continue;
      }
      const length = reader.length(end);
      if (tag !== 18) {
        const bytes = reader.bytes.subarray(reader.position, reader.position + length);
        if (tag === 26) this.schemaUrl = bytes;
        else this.parts = MessageParts.join(this.parts, bytes);
      }
      reader.position += length;
    }
    reader.position = this.#start;
    return fields;
  }
}
