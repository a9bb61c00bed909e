// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel, FIELD_KEYS, ValueType } from '#model/attributes.ts';
import { IN_FIELD, type SpanColumns, type SpanDictionaries } from '#model/span-columns.ts';
import { encodeText } from '#model/utf8.ts';
import { ColumnVerdicts, findSymbol, selectCodes, selectValues } from './attribute-node.ts';
import type { Int64Range } from './int64-range.ts';
import { ALWAYS, COST, NEVER, type PredicateNode } from './predicate-node.ts';
import { RowSet } from './row-set.ts';
import { SymbolAttributes } from './symbol-attributes.ts';
import { SymbolVerdicts } from './symbol-verdicts.ts';
import type { ValueTest } from './value-test.ts';

/** Rows whose service name, or span name, passes a test. */
export class NameNode implements PredicateNode {
  readonly rank = 0;
  readonly #isService: boolean;
  readonly #verdicts: SymbolVerdicts;

  constructor(name: 'service' | 'name', test: ValueTest) {
    this.#isService = name === 'service';
    const attributes = new SymbolAttributes();
    this.#verdicts = this.#isService
      ? new SymbolVerdicts(
          (bytes, start, end) => attributes.serviceNamePasses(bytes, start, end, test),
          { byContent: true },
        )
      : new SymbolVerdicts((bytes, start, end) => test.passesText(bytes, start, end));
  }

  forecast(columns: SpanDictionaries): number {
    const { passing, count } = this.#verdictsOn(columns);
    if (passing === 0) return NEVER;
    return passing === count ? ALWAYS : COST.numbers;
  }

  select(columns: SpanColumns, rows: number): RowSet {
    const selected = new RowSet(rows);
    const { passes } = this.#verdictsOn(columns);
    selectCodes(selected, this.#isService ? columns.resource : columns.name, passes);
    return selected;
  }

  #verdictsOn(columns: SpanDictionaries) {
    return this.#verdicts.of(this.#isService ? columns.resources : columns.names);
  }
}

/** Rows whose kind, or status code, is in a range. */
export class EnumNode implements PredicateNode {
  readonly rank = 1;
  readonly #column: 'kind' | 'status';
  readonly #field: Uint8Array;
  /** By number in the byte column. */
  readonly #passes = new Uint8Array(256);
  readonly #somePass: boolean;
  readonly #odd: ColumnVerdicts;

  constructor(column: 'kind' | 'status', test: ValueTest) {
    this.#column = column;
    this.#field = encodeText(column === 'kind' ? FIELD_KEYS.kind : FIELD_KEYS.statusCode);
    for (let byte = 0; byte < IN_FIELD; byte++) {
      // 0 says that no status was sent, which is the status unset.
      const value = column === 'kind' ? byte : Math.max(0, byte - 1);
      if (test.range?.has(value, 0) === true) this.#passes[byte] = 1;
    }
    this.#somePass = this.#passes.includes(1);
    this.#odd = new ColumnVerdicts(test);
  }

  forecast(columns: SpanDictionaries): number {
    return this.#somePass || this.#oddColumn(columns) >= 0 ? COST.numbers : NEVER;
  }

  select(columns: SpanColumns, rows: number): RowSet {
    const selected = new RowSet(rows);
    if (this.#somePass) selectCodes(selected, columns[this.#column], this.#passes);
    const odd = this.#oddColumn(columns);
    if (odd >= 0) {
      selectValues(selected, columns, odd, this.#odd.passes(columns.columns[odd]!));
    }
    return selected;
  }

  /** The field column, when one of its values passes, or -1. */
  #oddColumn({ columns, keys }: SpanDictionaries): number {
    // Only odd numbers make this column, and hardly anyone sends them.
    const id = columns.findIndex(
      ({ level, type, count, key }) =>
        level === AttributeLevel.spanField &&
        type === ValueType.int &&
        count > 0 &&
        key === findSymbol(keys, this.#field),
    );
    return id >= 0 && this.#odd.somePass(columns[id]!) ? id : -1;
  }
}

/** Rows whose duration, in ns and signed, is in a range. */
export class DurationNode implements PredicateNode {
  readonly rank = 2;
  readonly #range: Int64Range;

  constructor(range: Int64Range) {
    this.#range = range;
  }

  forecast(): number {
    return COST.wideNumbers;
  }

  select({ durationLo, durationHi }: SpanColumns, rows: number): RowSet {
    const selected = new RowSet(rows);
    const range = this.#range;
    for (let row = 0; row < rows; row++) {
      if (range.has(durationLo[row]!, durationHi[row]!)) selected.add(row);
    }
    return selected;
  }
}
