// SPDX-License-Identifier: Apache-2.0
import type { AttributeLevel, ValueType } from './attributes.ts';
import { equalViews, SymbolInterner, viewOf } from './symbol-interner.ts';
import { isValidUtf8, toValidUtf8 } from './utf8.ts';

/** After this many values it is decided whether a column keeps a dictionary. */
const PLAIN_DECISION_COUNT = 1024;

/** A column whose first values are more distinct than this is plain: interning uuids or SQL buys nothing. */
const PLAIN_DISTINCT_RATIO = 0.7;

/** Byte strings in order, repeats included. */
class ByteStrings {
  count = 0;
  offsets = new Uint32Array(PLAIN_DECISION_COUNT * 2 + 1);
  bytes = new Uint8Array(PLAIN_DECISION_COUNT * 32);

  push(bytes: Uint8Array, start: number, end: number): void {
    if (this.count + 1 === this.offsets.length) {
      const offsets = new Uint32Array(this.offsets.length * 2);
      offsets.set(this.offsets);
      this.offsets = offsets;
    }
    const offset = this.offsets[this.count]!;
    const needed = offset + end - start;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.bytes.length * 2, needed));
      grown.set(this.bytes);
      this.bytes = grown;
    }
    const target = this.bytes;
    for (let i = start, o = offset; i < end; i++, o++) target[o] = bytes[i]!;
    this.offsets[++this.count] = needed;
  }
}

/** The values of one (level, key, type) while a batch is built. */
export class AttributeColumnBuilder {
  /** Position in the batch's list of columns; -1 once it was rolled back or the batch is finished. */
  id = -1;
  level: AttributeLevel = 0;
  type: ValueType = 0;
  key = 0;
  count = 0;
  codes = new Uint32Array(64);
  readonly dictionary = new SymbolInterner(16, 256);
  plain: ByteStrings | undefined;
  /** The column that followed this one last: most spans have the keys of the one before. */
  next: AttributeColumnBuilder | undefined;
  #key: DataView = new DataView(new ArrayBuffer(0));
  #epoch = -1;
  #savedCount = 0;
  #savedSymbols = 0;
  #savedPlain = false;

  /** Makes the column ready for a new batch. */
  reset(
    id: number,
    level: AttributeLevel,
    type: ValueType,
    key: number,
    keyBytes: Uint8Array,
  ): void {
    this.id = id;
    this.level = level;
    this.type = type;
    this.key = key;
    this.#key = viewOf(keyBytes);
    this.count = 0;
    this.dictionary.truncate(0);
    this.plain = undefined;
    this.next = undefined;
    this.#epoch = -1;
  }

  /** Whether this is the column for a key and type, where the level is known to be right. */
  is(type: ValueType, bytes: DataView, start: number, end: number): boolean {
    const length = end - start;
    return (
      this.type === type &&
      this.id >= 0 &&
      this.#key.byteLength === length &&
      equalViews(this.#key, 0, bytes, start, length)
    );
  }

  /** Adds a value of canonical bytes. */
  push(bytes: Uint8Array, start: number, end: number, epoch: number): void {
    if (this.#epoch !== epoch) this.#save(epoch);
    if (this.plain !== undefined) {
      this.plain.push(bytes, start, end);
      this.count++;
    } else {
      this.#pushCode(this.dictionary.intern(bytes, start, end));
    }
  }

  /** Adds a text; what is not UTF-8 in it becomes U+FFFD. `view` is one of all of `bytes`. */
  pushText(bytes: Uint8Array, view: DataView, start: number, end: number, epoch: number): void {
    if (this.#epoch !== epoch) this.#save(epoch);
    if (this.plain === undefined) {
      this.#pushCode(this.dictionary.internText(bytes, start, end, view));
    } else if (isValidUtf8(bytes, start, end)) {
      this.plain.push(bytes, start, end);
      this.count++;
    } else {
      const mended = toValidUtf8(bytes.subarray(start, end));
      this.plain.push(mended, 0, mended.length);
      this.count++;
    }
  }

  /** Takes back the last value. Its symbol stays, unused. */
  pop(): void {
    this.count--;
    if (this.plain !== undefined) this.plain.count = this.count;
  }

  /** Goes back to where the column was when `epoch` began. */
  rollback(epoch: number): void {
    if (this.#epoch !== epoch) return;
    this.count = this.#savedCount;
    if (this.#savedPlain) {
      this.plain!.count = this.count;
      return;
    }
    // Where the column became plain in between, its codes and dictionary are still there.
    this.plain = undefined;
    this.dictionary.truncate(this.#savedSymbols);
  }

  #save(epoch: number): void {
    this.#epoch = epoch;
    this.#savedCount = this.count;
    this.#savedSymbols = this.dictionary.count;
    this.#savedPlain = this.plain !== undefined;
  }

  #pushCode(code: number): void {
    if (this.count === this.codes.length) {
      const codes = new Uint32Array(this.codes.length * 2);
      codes.set(this.codes);
      this.codes = codes;
    }
    this.codes[this.count++] = code;
    if (
      this.count === PLAIN_DECISION_COUNT &&
      this.dictionary.count > PLAIN_DECISION_COUNT * PLAIN_DISTINCT_RATIO
    ) {
      this.#becomePlain();
    }
  }

  #becomePlain(): void {
    const plain = new ByteStrings();
    const { offsets, bytes } = this.dictionary;
    for (let i = 0; i < this.count; i++) {
      const code = this.codes[i]!;
      plain.push(bytes, offsets[code]!, offsets[code + 1]!);
    }
    this.plain = plain;
  }
}
