// SPDX-License-Identifier: Apache-2.0
import type { EdgeKey } from '@spoor/core/analysis/edge-counts.ts';
import { NameCodes } from '@spoor/core/analysis/name-codes.ts';
import type { RedKey } from '@spoor/core/analysis/red-counts.ts';
import { sumTables } from '@spoor/core/analysis/sum-tables.ts';
import type { CountedEdges, CountedSpans } from '#storage/counted.ts';

/** Calls as all of the parts together count them. */
export function sumEdges(parts: readonly CountedEdges[]): CountedEdges {
  const names = new NameCodes();
  const keys = new Keys<EdgeKey>();
  const tables = parts.map(({ texts, keys: own, table }) => ({
    table,
    keys: Uint32Array.from(own, (key) => {
      const caller = names.code(texts[key.caller]!);
      const callee = names.code(texts[key.callee]!);
      return keys.numberOf({ ...key, caller, callee });
    }),
  }));
  return { texts: names.texts, keys: keys.list, table: sumTables(tables) };
}

/** Spans as all of the parts together count them. */
export function sumSpans(parts: readonly CountedSpans[]): CountedSpans {
  const names = new NameCodes();
  const keys = new Keys<RedKey>();
  const tables = parts.map(({ textOf, keys: own, table }) => ({
    table,
    keys: Uint32Array.from(own, (key) => {
      const service = names.code(textOf(key.service));
      const operation = names.code(textOf(key.operation));
      return keys.numberOf({ ...key, service, operation });
    }),
  }));
  return { textOf: (number) => names.texts[number]!, keys: keys.list, table: sumTables(tables) };
}

/** Numbers keys of one kind, equal ones alike. */
class Keys<Key extends object> {
  readonly list: Key[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(key: Key): number {
    const text = Object.values(key).join();
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.list.push(key) - 1;
      this.#numbers.set(text, number);
    }
    return number;
  }
}
