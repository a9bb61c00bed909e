// SPDX-License-Identifier: Apache-2.0
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { equalBytes } from '@spoor/core/model/symbol-interner.ts';
import type { WritableItems, WritableSpans } from '../block/writable-spans.ts';

/**
 * Whether two rows of a union hold the same beside what they are ordered by: trace id, start and span id. Under one set of symbols
 * that is to compare numbers; values need a look only where a column is plain.
 */
export function sameContent(spans: WritableSpans, a: number, b: number): boolean {
  const { durationLo, durationHi, flags, kind, status, name, resource, scope } = spans;
  const { parentWords, events, links } = spans;
  return (
    durationLo[a] === durationLo[b] &&
    durationHi[a] === durationHi[b] &&
    flags[a] === flags[b] &&
    kind[a] === kind[b] &&
    status[a] === status[b] &&
    name[a] === name[b] &&
    resource[a] === resource[b] &&
    scope[a] === scope[b] &&
    parentWords[a * 2] === parentWords[b * 2] &&
    parentWords[a * 2 + 1] === parentWords[b * 2 + 1] &&
    sameCells(spans, spans, a, b) &&
    sameItems(events, a, b, (i, k) => sameEvent(spans, i, k)) &&
    sameItems(links, a, b, (i, k) => sameLink(spans, i, k))
  );
}

/** Compares the events or links of two rows, one by one. */
function sameItems(
  { count, rowOffsets }: WritableItems,
  a: number,
  b: number,
  same: (i: number, k: number) => boolean,
): boolean {
  if (count === 0) return true;
  const first = rowOffsets[a]!;
  const end = rowOffsets[a + 1]!;
  const step = rowOffsets[b]! - first;
  if (end - first !== rowOffsets[b + 1]! - rowOffsets[b]!) return false;
  for (let item = first; item < end; item++) if (!same(item, item + step)) return false;
  return true;
}

function sameEvent(spans: WritableSpans, i: number, k: number): boolean {
  const { events } = spans;
  return (
    events.timeLo[i] === events.timeLo[k] &&
    events.timeHi[i] === events.timeHi[k] &&
    events.name[i] === events.name[k] &&
    sameCells(spans, events, i, k)
  );
}

function sameLink(spans: WritableSpans, i: number, k: number): boolean {
  const { traceId, spanId, flags } = spans.links;
  return (
    flags[i] === flags[k] &&
    equalBytes(traceId, i * 16, traceId, k * 16, 16) &&
    equalBytes(spanId, i * 8, spanId, k * 8, 8) &&
    sameCells(spans, spans.links, i, k)
  );
}

/** Compares the attributes of two rows, events or links. */
function sameCells(
  { shapes, cells, columns }: WritableSpans,
  { shape, cellStart }: Pick<WritableItems, 'shape' | 'cellStart'>,
  a: number,
  b: number,
): boolean {
  if (shape[a] !== shape[b]) return false;
  const first = shapes.offsets[shape[a]!]!;
  const count = shapes.offsets[shape[a]! + 1]! - first;
  for (let k = 0; k < count; k++) {
    const one = cells[cellStart[a]! + k]!;
    const other = cells[cellStart[b]! + k]!;
    if (one === other) continue;
    const { isPlain, table } = columns[shapes.columns[first + k]!]!;
    if (!isPlain || !sameEntry(table, one, other)) return false;
  }
  return true;
}

function sameEntry({ offsets, bytes }: SymbolTable, a: number, b: number): boolean {
  const length = offsets[a + 1]! - offsets[a]!;
  return (
    offsets[b + 1]! - offsets[b]! === length &&
    equalBytes(bytes, offsets[a]!, bytes, offsets[b]!, length)
  );
}
