// SPDX-License-Identifier: Apache-2.0
import { isPeerKey } from '@spoor/core/analysis/peer-finder.ts';
import type { PlacedValues } from '@spoor/core/analysis/placed-values.ts';
import type { AnalysedColumns } from '@spoor/core/analysis/span-source.ts';
import { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import { grownBytes, grownWords } from '@spoor/core/model/column-arrays.ts';
import type { AttributeColumn, ShapeTable, SymbolTable } from '@spoor/core/model/span-columns.ts';
import { SpanKind } from '@spoor/core/model/span.ts';
import { symbolText } from '@spoor/core/model/span-reader.ts';
import { occurrences } from '@spoor/core/query/attribute-node.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { TraceGroup } from './trace-group.ts';

/**
 * Traces of a block beside each other, taken out of its groups: only the columns that calls are counted from, and of these only
 * their rows. So a group is read once for all of its traces that are asked for.
 */
export class GatheredRows implements AnalysedColumns, PlacedValues {
  count = 0;
  spanId = new Uint8Array(0);
  parentSpanId = new Uint8Array(0);
  startLo = new Uint32Array(0);
  startHi = new Uint32Array(0);
  durationLo = new Uint32Array(0);
  durationHi = new Uint32Array(0);
  kind = new Uint8Array(0);
  status = new Uint8Array(0);
  name = new Uint32Array(0);
  resource = new Uint32Array(0);
  shape = new Uint32Array(0);
  /** Only those that may name peers: a block may have hundreds of thousands. */
  readonly columns: readonly (PeerColumn | undefined)[];
  readonly #block: BlockReader;
  readonly #peers: readonly PeerColumn[];
  /** Per peer column and row: the entry of its first value there, 0 without one. */
  readonly #entries: Uint32Array[];
  /** The group that the last trace was in. */
  #group: TraceGroup | undefined;

  /** @param block one that {@link canGather} is true of */
  constructor(block: BlockReader) {
    this.#block = block;
    this.#peers = peersOf(block);
    const columns: PeerColumn[] = [];
    for (const peer of this.#peers) columns[peer.column] = peer;
    this.columns = columns;
    this.#entries = this.#peers.map(() => new Uint32Array(0));
  }

  /** Whether the attributes of a block that name peers are all in dictionaries. */
  static canGather(block: BlockReader): boolean {
    return peersOf(block).every(({ column }) => !block.footer.columns.isPlain(column));
  }

  get names(): SymbolTable {
    return this.#block.table(this.#block.footer.names);
  }
  get resources(): SymbolTable {
    return this.#block.table(this.#block.footer.resources);
  }
  get keys(): SymbolTable {
    return this.#block.table(this.#block.footer.keys);
  }
  get shapes(): ShapeTable {
    return this.#block.shapes;
  }
  entry(row: number, column: number): number {
    return this.#entries[this.#peers.findIndex((peer) => peer.column === column)]![row]!;
  }

  table(column: number): SymbolTable {
    return this.#block.dictionary(column).table;
  }

  /**
   * Appends the rows of a trace.
   * @param trace its number in the block, higher than any before
   * @returns the numbers of the rows here
   */
  add(trace: number): Uint32Array {
    const first = this.#block.firstTraces;
    if (this.#group === undefined || trace >= first[this.#group.number + 1]!) {
      this.#group = new TraceGroup(this.#block, this.#block.groupOf(trace));
    }
    const group = this.#group;
    const { start, end } = group.seek(trace - first[group.number]!);
    const at = this.count;
    this.count += end - start;
    if (this.count > this.kind.length) this.#grow(Math.max(1024, this.count * 2));
    this.spanId.set(group.spanIds, at * 8);
    this.parentSpanId.set(group.parentIds(), at * 8);
    const starts = group.starts();
    this.startLo.set(starts.lo, at);
    this.startHi.set(starts.hi, at);
    const durations = group.durations();
    this.durationLo.set(durations.lo, at);
    this.durationHi.set(durations.hi, at);
    this.kind.set(group.codes('kind'), at);
    this.status.set(group.codes('status'), at);
    this.name.set(group.codes('name'), at);
    this.resource.set(group.codes('resource'), at);
    this.shape.set(group.codes('shape'), at);
    this.#takePeers(group, at);
    const rows = new Uint32Array(end - start);
    for (let i = 0; i < rows.length; i++) rows[i] = at + i;
    return rows;
  }

  #takePeers(group: TraceGroup, first: number): void {
    this.#peers.forEach(({ column, timesInShape }, p) => {
      const entries = this.#entries[p]!;
      for (let row = first; row < this.count; row++) {
        const kind = this.kind[row];
        // Others' attributes do not say what they called.
        if (kind !== SpanKind.client && kind !== SpanKind.producer) continue;
        if (timesInShape[this.shape[row]!] === 0) continue;
        entries[row] = group.firstCode(column, timesInShape, row - first);
      }
    });
  }

  #grow(size: number): void {
    this.spanId = grownBytes(this.spanId, size * 8);
    this.parentSpanId = grownBytes(this.parentSpanId, size * 8);
    this.startLo = grownWords(this.startLo, size);
    this.startHi = grownWords(this.startHi, size);
    this.durationLo = grownWords(this.durationLo, size);
    this.durationHi = grownWords(this.durationHi, size);
    this.kind = grownBytes(this.kind, size);
    this.status = grownBytes(this.status, size);
    this.name = grownWords(this.name, size);
    this.resource = grownWords(this.resource, size);
    this.shape = grownWords(this.shape, size);
    this.#peers.forEach((_, p) => (this.#entries[p] = grownWords(this.#entries[p]!, size)));
  }
}

/** A column of a block that may name peers. */
interface PeerColumn extends Pick<AttributeColumn, 'level' | 'type' | 'key'> {
  readonly column: number;
  /** How often each shape has it. */
  readonly timesInShape: Uint32Array;
}

function peersOf(block: BlockReader): readonly PeerColumn[] {
  const { columns, keys } = block.footer;
  const size = (peers: readonly PeerColumn[]): number => peers.length * block.shapes.count * 4;
  return block.decoded(-1, 'peer columns', size, () => {
    const table = block.table(keys);
    const peers: PeerColumn[] = [];
    for (let column = 0; column < columns.length; column++) {
      const [level, type, key] = [columns.level(column), columns.type(column), columns.key(column)];
      if (level !== AttributeLevel.span || type !== ValueType.string) continue;
      if (!isPeerKey(symbolText(table, key))) continue;
      peers.push({ column, level, type, key, timesInShape: occurrences(block, column) });
    }
    return peers;
  });
}
