// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '@spoor/core/model/attributes.ts';
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { VALUE_TYPE_NAMES } from '@spoor/core/model/span-reader.ts';
import { decodeText } from '@spoor/core/model/utf8.ts';
import { decodeValue } from '@spoor/core/model/value-decoder.ts';
import { tagValue } from './jaeger-key-value.ts';
import type { TextAllowance } from './text-allowance.ts';

/** A table of so many bytes is made a text as a whole, of which values are parts: a call for each costs more than to make them. */
const MAX_WHOLE_BYTES = 1 << 20;

/** JSON of the entries of a table; what is kept is not made again. */
export class ValueTexts {
  readonly #table: SymbolTable;
  readonly #bytes: Buffer;
  readonly #allowance: TextAllowance;
  readonly #whole: string | undefined;
  /** By type, for equal bytes mean something else in another one. */
  readonly #known: (string | undefined)[][] = VALUE_TYPE_NAMES.map(() => []);

  constructor(table: SymbolTable, allowance: TextAllowance) {
    const { buffer, byteOffset, byteLength } = table.bytes;
    this.#table = table;
    this.#allowance = allowance;
    this.#bytes = Buffer.from(buffer, byteOffset, byteLength);
    this.#whole = byteLength <= MAX_WHOLE_BYTES ? this.#bytes.toString('latin1') : undefined;
  }

  /** The value of a tag. */
  get(type: ValueType, entry: number): string {
    const known = this.#known[type]!;
    return known[entry] ?? this.#allowance.keep(known, entry, this.#make(type, entry));
  }

  #make(type: ValueType, entry: number): string {
    const { offsets, bytes } = this.#table;
    const start = offsets[entry]!;
    const end = offsets[entry + 1]!;
    if (type === ValueType.string) return this.#string(start, end);
    if (type === ValueType.int) {
      const number = this.#bytes.readInt32LE(start + 4) * 2 ** 32 + this.#bytes.readUInt32LE(start);
      if (Number.isSafeInteger(number)) return `${number}`;
    }
    return JSON.stringify(tagValue(decodeValue(type, bytes, start, end)));
  }

  #string(start: number, end: number): string {
    if (!isPlain(this.#bytes, start, end)) {
      return JSON.stringify(decodeText(this.#bytes, start, end));
    }
    return `"${this.#whole?.slice(start, end) ?? this.#bytes.toString('latin1', start, end)}"`;
  }
}

/** Whether a text stands in JSON as it is, a character for each byte. */
function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte < 0x20 || byte >= 0x80 || byte === QUOTE || byte === BACKSLASH) return false;
  }
  return true;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
