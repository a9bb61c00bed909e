// SPDX-License-Identifier: Apache-2.0
import type { AttributeLevel, ValueType } from './attributes.ts';
import { RecentSymbols } from './recent-symbols.ts';
import type { SymbolInterner } from './symbol-interner.ts';

/**
 * With so many values it is decided whether a column's are interned; with fewer they always are, which makes searching it cheaper. What
 * unites batches decides by the same numbers.
 */
export const PLAIN_MIN_COUNT = 1024;

/** A column whose values are more distinct than this is plain: interning uuids or SQL buys nothing, and codes cost more than they save. */
export const PLAIN_DISTINCT_RATIO = 0.7;

/** What a batch under construction knows of one (level, key, type). Its values are in the batch's cells. */
export class AttributeColumnBuilder {
  /** Position in the batch's list of columns; -1 once it was rolled back or the batch is finished. */
  id = -1;
  level: AttributeLevel = 0;
  type: ValueType = 0;
  key = 0;
  /** Values in the column. */
  count = 0;
  isPlain = false;
  /** The columns that followed this one last, the latest first: most spans have the keys of one a moment ago. */
  next: AttributeColumnBuilder | undefined;
  nextBefore: AttributeColumnBuilder | undefined;
  /** The column before this one that has the same key. */
  older: AttributeColumnBuilder | undefined;
  /** Values that were new to the batch. */
  #distinct = 0;
  /** Made for the second value: of the columns of a span with very many keys most never have one. */
  #recent: RecentSymbols | undefined;
  #epoch = -1;
  #savedCount = 0;
  #savedDistinct = 0;
  #savedPlain = false;

  /** Makes the column ready for a new batch. */
  reset(id: number, level: AttributeLevel, type: ValueType, key: number): void {
    this.id = id;
    this.level = level;
    this.type = type;
    this.key = key;
    this.count = 0;
    this.isPlain = false;
    this.next = undefined;
    this.nextBefore = undefined;
    this.#distinct = 0;
    this.#epoch = -1;
  }

  /** Whether this is the column for a key and type, where the level is known to be right. `keys` are the batch's. */
  is(type: ValueType, keys: SymbolInterner, bytes: DataView, start: number, end: number): boolean {
    return this.type === type && this.id >= 0 && keys.equalsView(this.key, bytes, start, end);
  }

  /** Puts a value of canonical bytes into the batch's table and returns its code there. */
  push(
    values: SymbolInterner,
    bytes: Uint8Array,
    start: number,
    end: number,
    epoch: number,
  ): number {
    if (this.#epoch !== epoch) this.#save(epoch);
    if (this.isPlain) {
      this.count++;
      return values.append(bytes, start, end);
    }
    const recent = this.#recentValues();
    let code = recent?.findScalar(values, bytes, start, end) ?? -1;
    if (code < 0) {
      const before = values.count;
      code = values.intern(bytes, start, end);
      recent?.put(code);
      if (values.count !== before) this.#distinct++;
    }
    this.#countValue();
    return code;
  }

  /** As {@link push} for a text; what is not UTF-8 in it becomes U+FFFD. `view` is one of all of `bytes`. */
  pushText(
    values: SymbolInterner,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    epoch: number,
  ): number {
    if (this.#epoch !== epoch) this.#save(epoch);
    if (this.isPlain) {
      this.count++;
      return values.appendText(bytes, start, end);
    }
    const recent = this.#recentValues();
    let code = recent?.find(values, bytes, view, start, end) ?? -1;
    if (code < 0) {
      const before = values.count;
      code = values.internText(bytes, start, end, view);
      recent?.put(code);
      if (values.count !== before) this.#distinct++;
    }
    this.#countValue();
    return code;
  }

  /** Counts a value that is in the batch's table already. Not for a plain column. */
  pushKnown(epoch: number): void {
    if (this.#epoch !== epoch) this.#save(epoch);
    this.#countValue();
  }

  /** Takes back the last value. Its symbol stays, unused. */
  pop(): void {
    this.count--;
  }

  /** Goes back to where the column was when `epoch` began. */
  rollback(epoch: number): void {
    if (this.#epoch !== epoch) return;
    this.count = this.#savedCount;
    this.#distinct = this.#savedDistinct;
    this.isPlain = this.#savedPlain;
  }

  #recentValues(): RecentSymbols | undefined {
    if (this.count > 0) this.#recent ??= new RecentSymbols();
    return this.#recent;
  }

  #save(epoch: number): void {
    this.#epoch = epoch;
    this.#savedCount = this.count;
    this.#savedDistinct = this.#distinct;
    this.#savedPlain = this.isPlain;
  }

  #countValue(): void {
    if (
      ++this.count === PLAIN_MIN_COUNT &&
      this.#distinct > PLAIN_MIN_COUNT * PLAIN_DISTINCT_RATIO
    ) {
      this.isPlain = true;
    }
  }
}
