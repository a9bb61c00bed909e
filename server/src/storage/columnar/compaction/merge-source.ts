// SPDX-License-Identifier: Apache-2.0
import { alignedWords } from '@spoor/core/model/column-arrays.ts';
import type { EventColumns, LinkColumns, SymbolTable } from '@spoor/core/model/span-columns.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { compareSpanIds } from '../block/span-ids.ts';
import { decodeCodes } from '../block/chunk-codec.ts';
import type { RowGroup } from '../block/row-group.ts';
import { decodeValues } from '../block/values-chunk.ts';
import type { MergedGroup } from './merged-group.ts';

/** Per code of a source the code in the new block, for each of its tables. */
export interface SourceMaps {
  readonly names: Uint32Array;
  readonly resources: Uint32Array;
  readonly scopes: Uint32Array;
  readonly eventNames: Uint32Array;
  readonly shapes: Uint32Array;
  /** Per column of the source its column in the new block. */
  readonly columns: Uint32Array;
  /** Per column of the source the entries of its dictionary; undefined for a plain column. */
  readonly entries: readonly (Uint32Array | undefined)[];
}

/** Rows of a group that are kept: 1 for each; undefined where all are. */
export type KeptRows = (group: number) => Uint8Array | undefined;

/**
 * A block that is merged: stands at a trace and at a row of it, and hands rows over one after the other. Only the group that it
 * stands in is decoded.
 */
export class MergeSource {
  readonly reader: BlockReader;
  /** The id of the trace it stands at, as four numbers that order as the bytes do. */
  readonly id = new Uint32Array(4);
  /** Number of that trace in the block. */
  trace = -1;
  /** The rows of it that were not handed over yet are `[row, end)`. */
  row = 0;
  end = 0;
  /** True when there is no further trace. */
  done = false;
  group!: RowGroup;
  spanId!: Uint8Array;
  startLo!: Uint32Array;
  startHi!: Uint32Array;
  readonly #maps: SourceMaps;
  readonly #kept: KeptRows | undefined;
  readonly #seenBefore: Uint32Array;
  #keptRows: Uint8Array | undefined;
  #groupNumber = -1;
  #groupTrace = 0;
  #traceStarts!: Uint32Array;
  #traceWords!: Uint32Array;
  #spanWords!: Uint32Array;
  #parentWords!: Uint32Array;
  #durationLo!: Uint32Array;
  #durationHi!: Uint32Array;
  #flags!: Uint32Array;
  #kind!: Uint8Array;
  #status!: Uint8Array;
  #name!: Uint32Array;
  #resource!: Uint32Array;
  #scope!: Uint32Array;
  #shape!: Uint32Array;
  #events: EventColumns | undefined;
  #links: LinkColumns | undefined;
  readonly #shapeOffsets: Uint32Array;
  readonly #shapeColumns: Uint32Array;
  /** Per column: how many of its values in this group were handed over. */
  readonly #next: Uint32Array;
  /** Per column: codes in the new block of the group's values, and for a plain one the values. */
  readonly #codes: (Uint32Array | undefined)[];
  readonly #values: (SymbolTable | undefined)[];

  constructor(reader: BlockReader, maps: SourceMaps, kept?: KeptRows) {
    this.reader = reader;
    this.#maps = maps;
    this.#kept = kept;
    this.#seenBefore = reader.seenBefore();
    const { offsets, columns } = reader.shapes;
    this.#shapeOffsets = offsets;
    this.#shapeColumns = columns;
    const columnCount = reader.footer.columns.length;
    this.#next = new Uint32Array(columnCount);
    this.#codes = Array.from({ length: columnCount }, () => undefined);
    this.#values = Array.from({ length: columnCount }, () => undefined);
    this.nextTrace();
  }

  /** Goes to the next trace of which rows are kept. All rows of this one must have been handed over. */
  nextTrace(): void {
    do {
      this.trace++;
      this.#groupTrace++;
      while (this.#groupNumber < 0 || this.#groupTrace >= this.group.traces) {
        if (this.#groupNumber + 1 >= this.reader.footer.groups.length) {
          this.done = true;
          return;
        }
        this.#openGroup(this.#groupNumber + 1);
      }
      this.row = this.#traceStarts[this.#groupTrace]!;
      this.end = this.#traceStarts[this.#groupTrace + 1]!;
      this.skipDropped();
    } while (this.row === this.end);
    const { traceIds } = this.group;
    for (let word = 0, at = this.#groupTrace * 16; word < 4; word++, at += 4) {
      this.id[word] =
        (traceIds[at]! << 24) |
        (traceIds[at + 1]! << 16) |
        (traceIds[at + 2]! << 8) |
        traceIds[at + 3]!;
    }
  }

  /** Whether another block had rows of the trace it stands at when this one was written. */
  get isSeenBefore(): boolean {
    return this.#seenBefore[this.trace] === 1;
  }

  /** Order of the traces that two sources stand at. */
  compareTrace(other: MergeSource): number {
    for (let word = 0; word < 4; word++) {
      const difference = this.id[word]! - other.id[word]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }

  /** Order of the rows that two sources stand at, by start and span id. */
  compareRow(other: MergeSource): number {
    return (
      this.startHi[this.row]! - other.startHi[other.row]! ||
      this.startLo[this.row]! - other.startLo[other.row]! ||
      compareSpanIds(this.spanId, this.row * 8, other.spanId, other.row * 8)
    );
  }

  /** End of the rows of this trace that have the same start and span id as the one it stands at. */
  equalEnd(): number {
    const { row, startHi, startLo, spanId } = this;
    let end = row + 1;
    while (
      end < this.end &&
      startHi[end] === startHi[row] &&
      startLo[end] === startLo[row] &&
      compareSpanIds(spanId, end * 8, spanId, row * 8) === 0
    ) {
      end++;
    }
    return end;
  }

  /** Hands all that is kept of this trace over. */
  copyTrace(target: MergedGroup): void {
    if (this.#keptRows === undefined) {
      this.copy(target, this.end - this.row);
      return;
    }
    while (this.row < this.end) {
      this.copy(target, 1);
      this.skipDropped();
    }
  }

  isKept(row: number): boolean {
    return this.#keptRows === undefined || this.#keptRows[row] === 1;
  }

  /** Passes rows by that are not kept. */
  skipDropped(): void {
    const kept = this.#keptRows;
    if (kept === undefined) return;
    while (this.row < this.end && kept[this.row] === 0) this.skip();
  }

  /** Passes a row by. */
  skip(): void {
    const { row } = this;
    this.#skipCells(this.#shape[row]!);
    for (const items of [this.#events, this.#links]) {
      if (items === undefined) continue;
      for (let i = items.rowOffsets[row]!; i < items.rowOffsets[row + 1]!; i++) {
        this.#skipCells(items.shape[i]!);
      }
    }
    this.row++;
  }

  /** Hands the next `count` rows over. */
  copy(target: MergedGroup, count: number): void {
    target.reserve(count);
    const first = this.row;
    const end = first + count;
    const base = target.rows - first;
    this.#copyIds(target, count);
    const { names, resources, scopes, shapes } = this.#maps;
    const { startLo, startHi } = this;
    const durationLo = this.#durationLo;
    const durationHi = this.#durationHi;
    const flags = this.#flags;
    const kind = this.#kind;
    const status = this.#status;
    const name = this.#name;
    const resource = this.#resource;
    const scope = this.#scope;
    const shape = this.#shape;
    const {
      startLo: toStartLo,
      startHi: toStartHi,
      durationLo: toDurationLo,
      durationHi: toDurationHi,
      flags: toFlags,
      kind: toKind,
      status: toStatus,
      name: toName,
      resource: toResource,
      scope: toScope,
      shape: toShape,
    } = target;
    for (let row = first, to = first + base; row < end; row++, to++) {
      toStartLo[to] = startLo[row]!;
      toStartHi[to] = startHi[row]!;
      toDurationLo[to] = durationLo[row]!;
      toDurationHi[to] = durationHi[row]!;
      toFlags[to] = flags[row]!;
      toKind[to] = kind[row]!;
      toStatus[to] = status[row]!;
      toName[to] = names[name[row]!]!;
      toResource[to] = resources[resource[row]!]!;
      toScope[to] = scopes[scope[row]!]!;
      toShape[to] = shapes[shape[row]!]!;
    }
    for (let row = first, to = first + base; row < end; row++, to++) {
      target.cellStart[to] = target.cellCount;
      this.#copyCells(target, shape[row]!);
      if (this.#events !== undefined) this.#copyEvents(target, this.#events, row);
      target.events.rowOffsets[to + 1] = target.events.count;
      if (this.#links !== undefined) this.#copyLinks(target, this.#links, row);
      target.links.rowOffsets[to + 1] = target.links.count;
    }
    target.rows += count;
    this.row = end;
  }

  #copyIds(target: MergedGroup, count: number): void {
    const traceWords = this.#traceWords;
    const spanWords = this.#spanWords;
    const parentWords = this.#parentWords;
    const trace = this.#groupTrace * 4;
    let traceTo = target.rows * 4;
    let to = target.rows * 2;
    const { traceWords: toTrace, spanWords: toSpan, parentWords: toParent } = target;
    const word0 = traceWords[trace]!;
    const word1 = traceWords[trace + 1]!;
    const word2 = traceWords[trace + 2]!;
    const word3 = traceWords[trace + 3]!;
    for (let from = this.row * 2, end = from + count * 2; from < end; from += 2, to += 2) {
      toTrace[traceTo++] = word0;
      toTrace[traceTo++] = word1;
      toTrace[traceTo++] = word2;
      toTrace[traceTo++] = word3;
      toSpan[to] = spanWords[from]!;
      toSpan[to + 1] = spanWords[from + 1]!;
      toParent[to] = parentWords[from]!;
      toParent[to + 1] = parentWords[from + 1]!;
    }
  }

  #copyEvents(target: MergedGroup, events: EventColumns, row: number): void {
    const { events: into } = target;
    const { eventNames, shapes } = this.#maps;
    for (let i = events.rowOffsets[row]!; i < events.rowOffsets[row + 1]!; i++) {
      into.reserve();
      const to = into.count++;
      into.timeLo[to] = events.timeLo[i]!;
      into.timeHi[to] = events.timeHi[i]!;
      into.name[to] = eventNames[events.name[i]!]!;
      into.shape[to] = shapes[events.shape[i]!]!;
      into.cellStart[to] = target.cellCount;
      this.#copyCells(target, events.shape[i]!);
    }
  }

  #copyLinks(target: MergedGroup, links: LinkColumns, row: number): void {
    const { links: into } = target;
    const { shapes } = this.#maps;
    for (let i = links.rowOffsets[row]!; i < links.rowOffsets[row + 1]!; i++) {
      into.reserve();
      const to = into.count++;
      into.traceId.set(links.traceId.subarray(i * 16, i * 16 + 16), to * 16);
      into.spanId.set(links.spanId.subarray(i * 8, i * 8 + 8), to * 8);
      into.flags[to] = links.flags[i]!;
      into.shape[to] = shapes[links.shape[i]!]!;
      into.cellStart[to] = target.cellCount;
      this.#copyCells(target, links.shape[i]!);
    }
  }

  #copyCells(target: MergedGroup, shape: number): void {
    const shapeColumns = this.#shapeColumns;
    const first = this.#shapeOffsets[shape]!;
    const end = this.#shapeOffsets[shape + 1]!;
    target.reserveCells(end - first);
    const { cells } = target;
    const next = this.#next;
    const codes = this.#codes;
    let at = target.cellCount;
    for (let i = first; i < end; i++) {
      const column = shapeColumns[i]!;
      const value = next[column]!++;
      const list = codes[column];
      cells[at++] = list === undefined ? this.#copyPlain(target, column, value) : list[value]!;
    }
    target.cellCount = at;
  }

  #copyPlain(target: MergedGroup, column: number, value: number): number {
    const { table } = target.columns[this.#maps.columns[column]!]!;
    return table.append(this.#values[column]!, value);
  }

  #skipCells(shape: number): void {
    const end = this.#shapeOffsets[shape + 1]!;
    for (let i = this.#shapeOffsets[shape]!; i < end; i++) this.#next[this.#shapeColumns[i]!]!++;
  }

  #openGroup(number: number): void {
    const group = this.reader.group(number);
    this.#groupNumber = number;
    this.#groupTrace = 0;
    this.group = group;
    this.#keptRows = this.#kept?.(number);
    this.#traceStarts = group.traceStarts;
    this.spanId = group.spanId;
    this.#traceWords = alignedWords(group.traceIds);
    this.#spanWords = alignedWords(group.spanId);
    this.#parentWords = alignedWords(group.parentSpanId);
    this.startLo = group.startLo;
    this.startHi = group.startHi;
    this.#durationLo = group.durationLo;
    this.#durationHi = group.durationHi;
    this.#flags = group.flags;
    this.#kind = group.kind;
    this.#status = group.status;
    this.#name = group.name;
    this.#resource = group.resource;
    this.#scope = group.scope;
    this.#shape = group.shape;
    this.#events = group.events;
    this.#links = group.links;
    this.#next.fill(0);
    const { columns } = this.reader.footer.groups[number]!;
    for (let part = 0; part < columns.length; part++) {
      const column = columns.column(part);
      const count = columns.count(part);
      const bytes = this.reader.chunk(columns.chunk(part));
      const map = this.#maps.entries[column];
      if (map === undefined) {
        this.#codes[column] = undefined;
        this.#values[column] = decodeValues(bytes, count);
        continue;
      }
      const codes = decodeCodes(bytes, count);
      for (let i = 0; i < count; i++) codes[i] = map[codes[i]!]!;
      this.#codes[column] = codes;
    }
  }
}
