// SPDX-License-Identifier: Apache-2.0
import {
  AttributeLevel,
  type AttributeValue,
  type ValueType,
} from '@spoor/core/model/attributes.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { SpanColumns, SymbolTable } from '@spoor/core/model/span-columns.ts';
import { symbolBytes, symbolText } from '@spoor/core/model/span-reader.ts';
import { decodeResource, decodeValue } from '@spoor/core/model/value-decoder.ts';
import { compareCodePoints } from '@spoor/core/query/code-point-order.ts';
import type {
  AttributeCounts,
  AttributeName,
  AttributeQuery,
  AttributeScope,
  AttributeText,
  AttributeValuesQuery,
} from './tracestore.ts';

/**
 * What one question keeps at most, whatever spans say. Of more entries or characters the rarer half is left out, and the answer says
 * so: what is frequent stays, with a count that may lack what it had before it was once left out.
 */
export interface AttributeLimits {
  /** Distinct entries. */
  readonly entries: number;
  /** UTF-16 units of one name or value; longer ones are left out, and the answer says so. */
  readonly textLength: number;
  /** UTF-16 units of all that are kept. */
  readonly keptLength: number;
}

/** Texts are in the heap twice, the second time in a key: 32 MiB at most. Nobody completes a text of a thousand characters. */
export const ATTRIBUTE_LIMITS: AttributeLimits = {
  entries: 100_000,
  textLength: 1024,
  keptLength: 2 ** 23,
};

/** Columns that attributes are listed of. */
type ListedColumns = Pick<SpanColumns, 'resources' | 'keys'>;

/** Entries with a count, the most frequent first. */
class EntryCounts<Entry extends { readonly count: number }> {
  readonly #query: AttributeQuery;
  readonly #limits: AttributeLimits;
  readonly #entries = new Map<string, Entry & { count: number }>();
  /** Of all keys. */
  #keptLength = 0;
  #isComplete = true;
  #min: bigint;
  #max: bigint;

  constructor(query: AttributeQuery, limits: AttributeLimits) {
    this.#query = query;
    this.#limits = limits;
    this.#min = query.startMinUnixNano;
    this.#max = query.startMaxUnixNano;
  }

  /** Widens what was counted to a block's bounds. */
  cover(minUnixNano: bigint, maxUnixNano: bigint): void {
    if (minUnixNano < this.#min) this.#min = minUnixNano;
    if (maxUnixNano >= this.#max) this.#max = maxUnixNano + 1n;
  }

  /** @param kind what tells apart entries of the same text */
  add(kind: string, text: string, entry: Entry): void {
    const { entries, textLength, keptLength } = this.#limits;
    if (text.length > textLength) {
      this.#isComplete = false;
      return;
    }
    const key = `${kind} ${text}`;
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.count += entry.count;
      return;
    }
    if (this.#entries.size === entries || this.#keptLength + key.length > keptLength) {
      this.#leaveOutRare();
    }
    this.#entries.set(key, { ...entry });
    this.#keptLength += key.length;
  }

  result(textOf: (entry: Entry) => string): AttributeCounts<Entry> {
    const { limit } = this.#query;
    // Of many that differ few are asked for: the others are looked at once, not sorted.
    const best: { readonly entry: Entry; readonly text: string }[] = [];
    for (const entry of this.#entries.values()) {
      const text = textOf(entry);
      const isBefore = (other: (typeof best)[number]): boolean =>
        (entry.count - other.entry.count || compareCodePoints(other.text, text)) > 0;
      if (best.length === limit && !isBefore(best[limit - 1]!)) continue;
      let low = 0;
      for (let high = best.length; low < high;) {
        const middle = (low + high) >>> 1;
        if (isBefore(best[middle]!)) high = middle;
        else low = middle + 1;
      }
      best.splice(low, 0, { entry, text });
      if (best.length > limit) best.pop();
    }
    return {
      entries: best.map(({ entry }) => entry),
      isComplete: this.#isComplete && this.#entries.size <= limit,
      startMinUnixNano: this.#min,
      startMaxUnixNano: this.#max,
    };
  }

  /** Halves the entries until they, and their characters, are half of what may be kept. */
  #leaveOutRare(): void {
    const entries = this.#entries;
    const { entries: most, keptLength } = this.#limits;
    while (entries.size > most / 2 || this.#keptLength > keptLength / 2) {
      const rest = entries.size >>> 1;
      const counts = Float64Array.from(entries.values(), ({ count }) => count).sort();
      const rare = counts[entries.size - rest - 1]!;
      for (const [key, { count }] of entries) {
        if (count > rare) continue;
        entries.delete(key);
        this.#keptLength -= key.length;
        if (entries.size === rest) break;
      }
    }
    this.#isComplete = false;
  }
}

/** Counts the names of attributes over any number of sources. */
export class AttributeNameSum {
  readonly #query: AttributeQuery;
  readonly #counts: EntryCounts<AttributeName>;

  constructor(query: AttributeQuery, limits = ATTRIBUTE_LIMITS) {
    this.#query = query;
    this.#counts = new EntryCounts(query, limits);
  }

  cover(minUnixNano: bigint, maxUnixNano: bigint): void {
    this.#counts.cover(minUnixNano, maxUnixNano);
  }

  /** Takes spans one by one. @param rows those that count */
  addRows(columns: SpanColumns, rows: Uint32Array): void {
    const { shapes } = columns;
    const { byShape, byResource } = rowCounts(columns, rows);
    const byColumn = new Float64Array(columns.columns.length);
    for (const [shape, count] of byShape.entries()) {
      if (count === 0) continue;
      for (let i = shapes.offsets[shape]!; i < shapes.offsets[shape + 1]!; i++) {
        byColumn[shapes.columns[i]!]! += count;
      }
    }
    this.addCounts(columns, columns.columns, byColumn, byResource);
  }

  /**
   * Takes what was counted of a source.
   * @param byColumn values in each of `list`
   * @param byResource spans of each resource
   */
  addCounts(
    columns: ListedColumns,
    list: readonly { readonly level: AttributeLevel; readonly key: number }[],
    byColumn: ArrayLike<number>,
    byResource: ArrayLike<number>,
  ): void {
    list.forEach(({ level, key }, column) => {
      const count = byColumn[column]!;
      if (level === AttributeLevel.span && count > 0) {
        this.#add('span', symbolText(columns.keys, key), count);
      }
    });
    for (let code = 0; code < byResource.length; code++) {
      if (byResource[code] === 0) continue;
      for (const { key } of decodeResource(symbolBytes(columns.resources, code)).attributes) {
        this.#add('resource', key, byResource[code]!);
      }
    }
  }

  result(): AttributeCounts<AttributeName> {
    return this.#counts.result(({ name, scope }) => `${name} ${scope}`);
  }

  #add(scope: AttributeScope, name: string, count: number): void {
    if (name.startsWith(this.#query.prefix)) {
      this.#counts.add(scope, name, { scope, name, count });
    }
  }
}

/** Counts the values of one attribute over any number of sources: texts, numbers and booleans. */
export class AttributeValueSum {
  readonly #query: AttributeValuesQuery;
  readonly #counts: EntryCounts<AttributeText>;

  constructor(query: AttributeValuesQuery, limits = ATTRIBUTE_LIMITS) {
    this.#query = query;
    this.#counts = new EntryCounts(query, limits);
  }

  cover(minUnixNano: bigint, maxUnixNano: bigint): void {
    this.#counts.cover(minUnixNano, maxUnixNano);
  }

  /** Whether it is one of resources, not of spans. */
  get isOfResource(): boolean {
    return this.#query.scope === 'resource';
  }

  /** Takes spans one by one. @param rows those that count */
  addRows(batch: SpanBatch, rows: Uint32Array): void {
    if (this.isOfResource) {
      this.addResources(batch.resources, rowCounts(batch, rows).byResource);
      return;
    }
    const types = this.columnsOf(batch, batch.columns);
    if (types.size === 0) return;
    const { shape, shapes, cells } = batch;
    const byType = new Map<ValueType, Map<number, number>>();
    for (const row of rows) {
      const start = shapes.offsets[shape[row]!]!;
      for (let i = start; i < shapes.offsets[shape[row]! + 1]!; i++) {
        const type = types.get(shapes.columns[i]!);
        if (type === undefined) continue;
        const entry = cells.codes[cells.rowStart[row]! + i - start]!;
        const counts = byType.get(type) ?? new Map<number, number>();
        byType.set(type, counts);
        counts.set(entry, (counts.get(entry) ?? 0) + 1);
      }
    }
    for (const [type, counts] of byType) {
      for (const [entry, count] of counts) this.addEntry(type, cells.values, entry, count);
    }
  }

  /** The columns that hold the attribute, and the type of each, when it is one of spans. */
  columnsOf(
    { keys }: Pick<SpanColumns, 'keys'>,
    list: readonly {
      readonly level: AttributeLevel;
      readonly key: number;
      readonly type: ValueType;
    }[],
  ): Map<number, ValueType> {
    const found = new Map<number, ValueType>();
    if (this.isOfResource) return found;
    list.forEach(({ level, key, type }, column) => {
      if (level === AttributeLevel.span && symbolText(keys, key) === this.#query.name) {
        found.set(column, type);
      }
    });
    return found;
  }

  /** Takes one value. */
  addEntry(type: ValueType, table: SymbolTable, entry: number, count: number): void {
    const { bytes, offsets } = table;
    this.#add(decodeValue(type, bytes, offsets[entry]!, offsets[entry + 1]!), count);
  }

  /** Takes the values that resources have. @param byResource spans of each */
  addResources(resources: SymbolTable, byResource: ArrayLike<number>): void {
    for (let code = 0; code < byResource.length; code++) {
      if (byResource[code] === 0) continue;
      for (const { key, value } of decodeResource(symbolBytes(resources, code)).attributes) {
        if (key === this.#query.name) this.#add(value, byResource[code]!);
      }
    }
  }

  result(): AttributeCounts<AttributeText> {
    return this.#counts.result(({ value, type }) => `${value} ${type}`);
  }

  #add(attribute: AttributeValue, count: number): void {
    const { type } = attribute;
    if (type !== 'string' && type !== 'int' && type !== 'double' && type !== 'bool') return;
    const value = String(attribute.value);
    if (value.startsWith(this.#query.prefix)) {
      this.#counts.add(type, value, { value, type, count });
    }
  }
}

function rowCounts(
  { shape, shapes, resource, resources }: SpanColumns,
  rows: Uint32Array,
): { byShape: Float64Array; byResource: Float64Array } {
  const byShape = new Float64Array(shapes.count);
  const byResource = new Float64Array(resources.count);
  for (const row of rows) {
    byShape[shape[row]!]!++;
    byResource[resource[row]!]!++;
  }
  return { byShape, byResource };
}

/** The rows that start in a window, or less than a microsecond beside it. */
export function rowsInWindow(
  { startHi, startLo }: Pick<SpanColumns, 'startHi' | 'startLo'>,
  rows: Uint32Array,
  {
    startMinUnixNano,
    startMaxUnixNano,
  }: Pick<AttributeQuery, 'startMinUnixNano' | 'startMaxUnixNano'>,
): Uint32Array {
  const min = Number(startMinUnixNano);
  const max = Number(startMaxUnixNano);
  return rows.filter((row) => {
    const start = startHi[row]! * 2 ** 32 + startLo[row]!;
    return start >= min && start <= max;
  });
}
