// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel, ValueType } from '#model/attributes.ts';
import type { AttributeColumn, SpanColumns } from '#model/span-columns.ts';
import { symbolText } from '#model/span-reader.ts';
import { EdgeKind } from './edge-kind.ts';
import type { NameCodes } from './name-codes.ts';
import type { PlacedValues } from './placed-values.ts';

/** Attributes of a client span that name what it called, the first that has a text counts; and what it is then. */
const PEER_KEYS: readonly (readonly [key: string, kind: EdgeKind])[] = [
  ['peer.service', EdgeKind.call],
  ['db.system.name', EdgeKind.database],
  ['db.system', EdgeKind.database],
  ['messaging.system', EdgeKind.messaging],
  ['server.address', EdgeKind.call],
  ['net.peer.name', EdgeKind.call],
];

/** Whether values of this span attribute are looked at to name a peer. */
export function isPeerKey(key: string): boolean {
  return rankOf(key) >= 0;
}

function rankOf(key: string): number {
  return PEER_KEYS.findIndex(([name]) => name === key);
}

/** The columns that peers are found in. */
export type PeerColumns = Pick<SpanColumns, 'shape' | 'shapes' | 'keys'> & {
  /** Undefined for a column that is of no {@link isPeerKey} anyway. */
  readonly columns: readonly (Pick<AttributeColumn, 'level' | 'type' | 'key'> | undefined)[];
};

/** Where a shape has one of {@link PEER_KEYS}. */
interface PeerPlace {
  readonly rank: number;
  readonly column: number;
  readonly place: number;
}

/** Of most shapes, of which there may be tens of thousands. */
const NO_PLACES: readonly PeerPlace[] = [];

/**
 * Says from a client span's attributes what it called: `peer.service`, else the kind of database or broker, else an address.
 * Only texts count, of several under one key the first.
 */
export class PeerFinder {
  readonly #columns: PeerColumns;
  readonly #values: PlacedValues;
  readonly #names: NameCodes;
  readonly #places: (readonly PeerPlace[] | undefined)[] = [];
  /** Per key its rank among {@link PEER_KEYS}, or -1; once it was looked at. */
  readonly #ranks: number[] = [];
  /** Per column: codes of its values' texts. */
  readonly #texts = new Map<number, Map<number, number>>();
  /** Code of the name found last; 0 for none. */
  name = 0;
  kind: EdgeKind = EdgeKind.call;

  constructor(columns: PeerColumns, values: PlacedValues, names: NameCodes) {
    this.#columns = columns;
    this.#values = values;
    this.#names = names;
  }

  /** Finds the peer of a row's span; then {@link name} and {@link kind} say it. */
  find(row: number): void {
    this.name = 0;
    this.kind = EdgeKind.call;
    const shape = this.#columns.shape[row]!;
    const places = (this.#places[shape] ??= this.#placesOf(shape));
    for (const { rank, column, place } of places) {
      const name = this.#text(column, this.#values.entry(row, column, place));
      if (name === 0) continue;
      if (this.name === 0) this.name = name;
      // A peer.service may be a database as well.
      if (this.kind === EdgeKind.call) this.kind = PEER_KEYS[rank]![1];
    }
  }

  #text(column: number, entry: number): number {
    let texts = this.#texts.get(column);
    if (texts === undefined) this.#texts.set(column, (texts = new Map()));
    let code = texts.get(entry);
    if (code === undefined) {
      code = this.#names.code(symbolText(this.#values.table(column), entry));
      texts.set(entry, code);
    }
    return code;
  }

  #placesOf(shape: number): readonly PeerPlace[] {
    const { shapes, columns, keys } = this.#columns;
    let places: PeerPlace[] | undefined;
    const start = shapes.offsets[shape]!;
    for (let i = start; i < shapes.offsets[shape + 1]!; i++) {
      const column = shapes.columns[i]!;
      const found = columns[column];
      if (found?.level !== AttributeLevel.span || found.type !== ValueType.string) continue;
      const { key } = found;
      const rank = (this.#ranks[key] ??= rankOf(symbolText(keys, key)));
      if (rank < 0 || places?.some((other) => other.column === column) === true) continue;
      (places ??= []).push({ rank, column, place: i - start });
    }
    return places?.sort((a, b) => a.rank - b.rank) ?? NO_PLACES;
  }
}
