// SPDX-License-Identifier: Apache-2.0
import { alignedWords } from '#model/column-arrays.ts';
import type { SpanColumns } from '#model/span-columns.ts';
import { symbolBytes, symbolText } from '#model/span-reader.ts';
import { decodeResource } from '#model/value-decoder.ts';
import type { NameCodes } from './name-codes.ts';
import { type PeerColumns, PeerFinder } from './peer-finder.ts';
import type { PlacedValues } from './placed-values.ts';

/** The columns that edges and rates are made from. */
export type AnalysedColumns = PeerColumns &
  Pick<
    SpanColumns,
    | 'spanId'
    | 'parentSpanId'
    | 'startLo'
    | 'startHi'
    | 'durationLo'
    | 'durationHi'
    | 'kind'
    | 'status'
    | 'name'
    | 'resource'
    | 'names'
    | 'resources'
  >;

/** No number of a name. */
const UNKNOWN = 0xffffffff;

/** Columns with what is remembered of their symbols: make one for a source of spans, not one a row. */
export class SpanSource {
  readonly spanWords: Uint32Array;
  readonly parentWords: Uint32Array;
  readonly startLo: Uint32Array;
  readonly startHi: Uint32Array;
  readonly durationLo: Uint32Array;
  readonly durationHi: Uint32Array;
  readonly kind: Uint8Array;
  readonly status: Uint8Array;
  readonly peers: PeerFinder;
  readonly #columns: AnalysedColumns;
  readonly #names: NameCodes;
  /** By symbol. */
  readonly #serviceOf: Uint32Array;
  readonly #nameOf: Uint32Array;

  /** @param names where services, operations and peers get their numbers */
  constructor(columns: AnalysedColumns, values: PlacedValues, names: NameCodes) {
    this.#columns = columns;
    this.#names = names;
    this.#serviceOf = new Uint32Array(columns.resources.count).fill(UNKNOWN);
    this.#nameOf = new Uint32Array(columns.names.count).fill(UNKNOWN);
    this.spanWords = alignedWords(columns.spanId);
    this.parentWords = alignedWords(columns.parentSpanId);
    this.startLo = columns.startLo;
    this.startHi = columns.startHi;
    this.durationLo = columns.durationLo;
    this.durationHi = columns.durationHi;
    this.kind = columns.kind;
    this.status = columns.status;
    this.peers = new PeerFinder(columns, values, names);
  }

  /** Writes the numbers of each row's service and name, 0 for none, to the lists from `first` on. */
  nameRows(rows: Uint32Array, services: Uint32Array, names: Uint32Array, first: number): void {
    for (let i = 0; i < rows.length; i++) services[first + i] = this.#service(rows[i]!);
    this.#spanNames(rows, names, first);
  }

  #spanNames(rows: Uint32Array, names: Uint32Array, first: number): void {
    for (let i = 0; i < rows.length; i++) names[first + i] = this.#name(rows[i]!);
  }

  #service(row: number): number {
    const resource = this.#columns.resource[row]!;
    const known = this.#serviceOf[resource]!;
    if (known !== UNKNOWN) return known;
    const symbol = symbolBytes(this.#columns.resources, resource);
    return (this.#serviceOf[resource] = this.#names.code(decodeResource(symbol).serviceName));
  }

  #name(row: number): number {
    const name = this.#columns.name[row]!;
    const known = this.#nameOf[name]!;
    if (known !== UNKNOWN) return known;
    return (this.#nameOf[name] = this.#names.code(symbolText(this.#columns.names, name)));
  }
}
