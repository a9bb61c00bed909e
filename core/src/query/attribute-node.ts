// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel, ValueType } from '#model/attributes.ts';
import type {
  AttributeColumn,
  ColumnDictionary,
  SpanColumns,
  SpanDictionaries,
  SymbolTable,
} from '#model/span-columns.ts';
import { equalBytes } from '#model/symbol-interner.ts';
import { encodeText } from '#model/utf8.ts';
import { ALWAYS, COST, NEVER, type PredicateNode } from './predicate-node.ts';
import { RowSet } from './row-set.ts';
import {
  RESOURCE_ATTRIBUTE_TAG,
  SCOPE_ATTRIBUTE_TAG,
  SymbolAttributes,
} from './symbol-attributes.ts';
import { SymbolVerdicts, type Verdicts } from './symbol-verdicts.ts';
import type { QueryField } from './trace-query.ts';
import type { ValueTest } from './value-test.ts';

type AttributeScope = Extract<QueryField, { kind: 'attribute' }>['scope'];

/** Levels of columns, and whether resources and scopes, are looked at. */
const PLACES: Readonly<
  Record<
    AttributeScope,
    { levels: readonly AttributeLevel[]; resource?: boolean; scope?: boolean; rank: number }
  >
> = {
  resource: { levels: [], resource: true, rank: 1 },
  instrumentation: { levels: [], scope: true, rank: 1 },
  span: { levels: [AttributeLevel.span], rank: 3 },
  event: { levels: [AttributeLevel.event], rank: 4 },
  link: { levels: [AttributeLevel.link], rank: 4 },
  any: {
    levels: [AttributeLevel.span, AttributeLevel.event],
    resource: true,
    scope: true,
    rank: 5,
  },
};

/** Rows that have an attribute of which one value passes a test. */
export class AttributeNode implements PredicateNode {
  readonly rank: number;
  readonly #key: Uint8Array;
  readonly #levels: readonly AttributeLevel[];
  readonly #test: ValueTest;
  /** Verdicts on resources and scopes, where these are looked at. */
  readonly #resources: SymbolVerdicts | undefined;
  readonly #scopes: SymbolVerdicts | undefined;
  readonly #attributes = new SymbolAttributes();
  readonly #values: ColumnVerdicts;

  /** @param checkpoint called now and then while many values are tested */
  constructor(scope: AttributeScope, key: string, test: ValueTest, checkpoint: () => void) {
    const places = PLACES[scope];
    this.rank = places.rank;
    this.#key = encodeText(key);
    this.#levels = places.levels;
    this.#test = test;
    if (places.resource === true) this.#resources = this.#symbols(RESOURCE_ATTRIBUTE_TAG);
    if (places.scope === true) this.#scopes = this.#symbols(SCOPE_ATTRIBUTE_TAG);
    this.#values = new ColumnVerdicts(test, checkpoint);
  }

  forecast(columns: SpanDictionaries): number {
    let cost = NEVER;
    for (const [verdicts, table] of [
      [this.#resources, 'resources'],
      [this.#scopes, 'scopes'],
    ] as const) {
      if (verdicts === undefined) continue;
      const { passing, count } = verdicts.of(columns[table]);
      if (passing === count) return ALWAYS;
      if (passing > 0) cost = Math.max(cost, 0) + COST.numbers;
    }
    for (const id of this.#columns(columns)) {
      const column = columns.columns[id]!;
      if (!this.#values.somePass(column)) continue;
      const isSpan = column.level === AttributeLevel.span;
      cost = Math.max(cost, 0) + (isSpan ? COST.attributes : COST.events);
    }
    return cost;
  }

  select(columns: SpanColumns, rows: number): RowSet {
    const selected = new RowSet(rows);
    if (this.#resources !== undefined) {
      const { passing, passes } = this.#resources.of(columns.resources);
      if (passing > 0) selectCodes(selected, columns.resource, passes);
    }
    if (this.#scopes !== undefined) {
      const { passing, passes } = this.#scopes.of(columns.scopes);
      if (passing > 0) selectCodes(selected, columns.scope, passes);
    }
    for (const id of this.#columns(columns)) {
      const column = columns.columns[id]!;
      if (this.#values.somePass(column)) {
        selectValues(selected, columns, id, this.#values.passes(column));
      }
    }
    return selected;
  }

  #symbols(tag: number): SymbolVerdicts {
    return new SymbolVerdicts(
      (bytes, start, end) => this.#attributes.some(bytes, start, end, tag, this.#key, this.#test),
      { byContent: true },
    );
  }

  /** Ids of the columns that have the key at one of the levels, and values that may pass. */
  #columns(dictionaries: SpanDictionaries): number[] {
    const ids: number[] = [];
    if (this.#levels.length === 0) return ids;
    const key = findSymbol(dictionaries.keys, this.#key);
    if (key < 0) return ids;
    const { columns } = dictionaries;
    for (let id = 0; id < columns.length; id++) {
      const column = columns[id]!;
      if (
        column.key === key &&
        column.count > 0 &&
        this.#levels.includes(column.level) &&
        this.#test.mayPass(column.type)
      ) {
        ids.push(id);
      }
    }
    return ids;
  }
}

/** Verdicts on the values of attribute columns. */
export class ColumnVerdicts {
  readonly #test: ValueTest;
  readonly #checkpoint: () => void;
  readonly #byType: SymbolVerdicts[] = [];

  /** @param checkpoint called now and then while many values are tested */
  constructor(test: ValueTest, checkpoint: () => void = () => undefined) {
    this.#test = test;
    this.#checkpoint = checkpoint;
  }

  /** Whether one of the column's values may pass. */
  somePass(column: ColumnDictionary): boolean {
    if (this.#test.passesAll) return true;
    const verdicts = this.#of(column);
    if (verdicts === undefined) return true;
    return verdicts.passing > 0 && column.mayHaveSome?.(verdicts.passes) !== false;
  }

  /** 1 for each entry of the column's values that passes; undefined when all do. */
  passes(column: AttributeColumn): Uint8Array | undefined {
    if (this.#test.passesAll) return undefined;
    const { passing, count, passes } = this.#of(column)!;
    return passing === count ? undefined : passes;
  }

  /** Undefined where the column does not tell its values, which one with rows does. */
  #of(column: ColumnDictionary): Verdicts | undefined {
    const { type, paged } = column;
    const verdicts = (this.#byType[type] ??= new SymbolVerdicts((bytes, start, end) =>
      this.#test.passes(type, bytes, start, end),
    ));
    if (paged === undefined) {
      const { values } = column;
      return values && verdicts.of(values);
    }
    const { onlyText, requiredText, requiredParts } = this.#test;
    const only = type === ValueType.string ? onlyText : undefined;
    const known = { only, part: requiredText, parts: requiredParts };
    return verdicts.ofPages(paged, known, this.#checkpoint);
  }
}

/** Adds the rows whose code passes. */
export function selectCodes(selected: RowSet, codes: ArrayLike<number>, passes: Uint8Array): void {
  const { rows, words } = selected;
  for (let row = 0; row < rows; row++) {
    words[row >>> 5]! |= passes[codes[row]!]! << (row & 31);
  }
}

/**
 * Adds the rows of which one value in a column passes. The values stand in the order of the rows; the shapes tell how many
 * each row, event or link has, so that one running position finds them.
 * @param passes by entry of the column's values; undefined when all pass
 */
export function selectValues(
  selected: RowSet,
  columns: SpanColumns,
  id: number,
  passes: Uint8Array | undefined,
): void {
  const column = columns.columns[id]!;
  const codes = passes === undefined ? undefined : column.codes;
  // Where none of the codes passes, the shapes need not be read.
  if (passes !== undefined && codes?.every((code) => passes[code] !== 1) === true) return;
  const owners = ownersOf(columns, column.level);
  if (owners === undefined) return;
  const { shape, rowOffsets } = owners;
  const perShape = occurrences(columns, id);
  const { rows, words } = selected;
  let position = 0;
  let owner = 0;
  for (let row = 0; row < rows; row++) {
    const end = rowOffsets === undefined ? row + 1 : rowOffsets[row + 1]!;
    let found = 0;
    for (; owner < end; owner++) {
      const values = perShape[shape[owner]!]!;
      if (values === 0) continue;
      if (passes === undefined) {
        found = 1;
        continue;
      }
      for (const stop = position + values; position < stop; position++) {
        found |= passes[codes === undefined ? position : codes[position]!]!;
      }
    }
    words[row >>> 5]! |= found << (row & 31);
  }
}

/** What owns the values at a level: the rows themselves, or their events or links. */
function ownersOf(
  columns: SpanColumns,
  level: AttributeLevel,
): { shape: Uint32Array; rowOffsets: Uint32Array | undefined } | undefined {
  if (level <= AttributeLevel.spanField) return { shape: columns.shape, rowOffsets: undefined };
  return level <= AttributeLevel.eventField ? columns.events : columns.links;
}

/** How often each shape has a column. */
export function occurrences({ shapes }: Pick<SpanColumns, 'shapes'>, id: number): Uint32Array {
  const { count, offsets, columns } = shapes;
  const perShape = new Uint32Array(count);
  for (let shape = 0; shape < count; shape++) {
    for (let i = offsets[shape]!; i < offsets[shape + 1]!; i++) {
      if (columns[i] === id) perShape[shape]!++;
    }
  }
  return perShape;
}

/** Code of a symbol, or -1. */
export function findSymbol({ count, offsets, bytes }: SymbolTable, symbol: Uint8Array): number {
  for (let code = 0; code < count; code++) {
    const start = offsets[code]!;
    if (
      offsets[code + 1]! - start === symbol.length &&
      equalBytes(bytes, start, symbol, 0, symbol.length)
    ) {
      return code;
    }
  }
  return -1;
}
