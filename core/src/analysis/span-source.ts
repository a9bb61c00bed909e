// SPDX-License-Identifier: Apache-2.0
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
  readonly #resource: Uint32Array;
  readonly #serviceOf: number[] = [];
  readonly #nameOf: number[] = [];

  /** @param names where services, operations and peers get their numbers */
  constructor(columns: AnalysedColumns, values: PlacedValues, names: NameCodes) {
    this.#columns = columns;
    this.#names = names;
    this.#resource = columns.resource;
    this.spanWords = wordsOf(columns.spanId);
    this.parentWords = wordsOf(columns.parentSpanId);
    this.startLo = columns.startLo;
    this.startHi = columns.startHi;
    this.durationLo = columns.durationLo;
    this.durationHi = columns.durationHi;
    this.kind = columns.kind;
    this.status = columns.status;
    this.peers = new PeerFinder(columns, values, names);
  }

  /** Number of the service of a row's span; 0 for none. */
  service(row: number): number {
    const resource = this.#resource[row]!;
    return (this.#serviceOf[resource] ??= this.#names.code(
      decodeResource(symbolBytes(this.#columns.resources, resource)).serviceName,
    ));
  }

  /** Number of the name of a row's span. */
  name(row: number): number {
    const name = this.#columns.name[row]!;
    return (this.#nameOf[name] ??= this.#names.code(symbolText(this.#columns.names, name)));
  }
}

/** Ids as words of four bytes, for telling whether two are equal. */
function wordsOf(ids: Uint8Array): Uint32Array {
  const aligned = ids.byteOffset % 4 === 0 ? ids : ids.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}
