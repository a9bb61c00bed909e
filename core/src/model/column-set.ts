// SPDX-License-Identifier: Apache-2.0
import { AttributeColumnBuilder } from './attribute-column-builder.ts';
import type { AttributeLevel, ValueType } from './attributes.ts';
import { SpoorError } from './errors.ts';
import type { SymbolInterner } from './symbol-interner.ts';

/** Column builders kept for the next batch; hostile batches with more keys than this give the rest back. */
const MAX_POOLED_COLUMNS = 4096;

/** The attribute columns of a batch under construction: one for each key of each level with each type. */
export class ColumnSet {
  /** By their ids; always the same array. */
  readonly list: AttributeColumnBuilder[] = [];
  readonly #keys: SymbolInterner;
  /** Per code of a key the newest of its columns; a key has one or two. With a map of all columns new keys cost a tenth more to decode. */
  readonly #newest: (AttributeColumnBuilder | undefined)[] = [];
  readonly #pool: AttributeColumnBuilder[] = [];
  /** No more columns than these, of which so many may be new. */
  #maxCount = Infinity;
  #maxNew = Infinity;

  /** @param keys of the batch */
  constructor(keys: SymbolInterner) {
    this.#keys = keys;
  }

  /** Refuses from now on what would bring more than `count` columns that are not there yet. Anything goes before it is called. */
  allow(count: number): void {
    this.#maxCount = this.list.length + count;
    this.#maxNew = count;
  }

  /**
   * The column for a key, made when it is new.
   * @throws {SpoorError} too_large: see {@link allow}
   */
  find(
    level: AttributeLevel,
    type: ValueType,
    key: Uint8Array,
    start: number,
    end: number,
  ): AttributeColumnBuilder {
    const code = this.#keys.internText(key, start, end);
    const newest = this.#newest[code];
    for (let column = newest; column !== undefined; column = column.older) {
      if (column.level === level && column.type === type) return column;
    }
    if (this.list.length >= this.#maxCount) {
      throw new SpoorError('too_large', `more than ${this.#maxNew} new attribute keys`);
    }
    const column = this.#pool.pop() ?? new AttributeColumnBuilder();
    column.reset(this.list.length, level, type, code);
    column.older = newest;
    this.list.push(column);
    this.#newest[code] = column;
    return column;
  }

  /** Goes back to where `epoch` began, when there were `count` columns. */
  rollback(count: number, epoch: number): void {
    for (const column of this.list.splice(count).reverse()) {
      this.#newest[column.key] = column.older;
      this.#release(column);
    }
    for (const column of this.list) column.rollback(epoch);
  }

  /** Forgets all columns. */
  clear(): void {
    for (const column of this.list) {
      this.#newest[column.key] = undefined;
      this.#release(column);
    }
    this.list.length = 0;
    if (this.#newest.length > MAX_POOLED_COLUMNS) this.#newest.length = 0;
  }

  #release(column: AttributeColumnBuilder): void {
    column.id = -1;
    column.older = undefined;
    if (this.#pool.length < MAX_POOLED_COLUMNS) this.#pool.push(column);
  }
}
