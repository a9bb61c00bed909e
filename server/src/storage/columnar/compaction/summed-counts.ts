// SPDX-License-Identifier: Apache-2.0
import { edgeBits, edgeKeys } from '@spoor/core/analysis/edge-counts.ts';
import { NameCodes } from '@spoor/core/analysis/name-codes.ts';
import { packNamePair } from '@spoor/core/analysis/name-pair-keys.ts';
import { redBits, redKeys } from '@spoor/core/analysis/red-counts.ts';
import { type RekeyedTable, sumTables } from '@spoor/core/analysis/sum-tables.ts';
import type { CountedEdges, CountedSpans } from '#storage/counted.ts';

/** Calls as all of the parts together count them. Of each part only its table is kept when the next one comes. */
export function sumEdges(parts: Iterable<CountedEdges>): CountedEdges {
  const names = new NameCodes();
  const keys = edgeKeys();
  const tables: RekeyedTable[] = [];
  for (const { texts, keys: own, table } of parts) {
    const numbers = Uint32Array.from(own, ({ caller, callee, kind, isInferred, isError }) => {
      const [first, second] = [names.code(texts[caller]!), names.code(texts[callee]!)];
      return keys.numberOf(packNamePair(first, second, edgeBits(kind, isInferred, isError)));
    });
    tables.push({ table, keys: numbers });
  }
  return { texts: names.texts, keys: keys.list, table: sumTables(tables) };
}

/** Spans as all of the parts together count them; see {@link sumEdges}. */
export function sumSpans(parts: Iterable<CountedSpans>): CountedSpans {
  const names = new NameCodes();
  const keys = redKeys();
  const tables: RekeyedTable[] = [];
  for (const { textOf, keys: own, table } of parts) {
    const numbers = Uint32Array.from(own, ({ service, operation, kind, isError }) => {
      const [first, second] = [names.code(textOf(service)), names.code(textOf(operation))];
      return keys.numberOf(packNamePair(first, second, redBits(kind, isError)));
    });
    tables.push({ table, keys: numbers });
  }
  return { textOf: (number) => names.texts[number]!, keys: keys.list, table: sumTables(tables) };
}
