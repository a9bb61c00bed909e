// SPDX-License-Identifier: Apache-2.0
import type { BatchBuilder } from './batch-builder.ts';
import type { SpanColumns, SymbolTable } from './span-columns.ts';
import type { EditedCell } from './span-edit.ts';
import type { SymbolInterner } from './symbol-interner.ts';

/** Place of an attribute in a builder. */
export interface AttributePlace {
  readonly column: number;
  readonly code: number;
}

/**
 * What the symbols, columns and values of a source are in the builder that its rows are copied into, once they were copied:
 * looking that up costs a tenth of finding it by content.
 */
export class KnownCodes {
  readonly #source: SpanColumns;
  readonly #builder: BatchBuilder;
  #epoch = -1;
  #names = new Int32Array(0);
  #resources = new Int32Array(0);
  #scopes = new Int32Array(0);
  #eventNames = new Int32Array(0);
  /** Column of the builder by column of the source. */
  columns = new Int32Array(0);
  /** Code of a value by its entry; of use only for sources with one table for all columns. */
  values = new Int32Array(0);
  /** Places of edited attributes that have a value of their own. */
  readonly edited = new Map<EditedCell, AttributePlace>();
  /** Codes of resources that are in place of others. */
  readonly #edited = new Map<Uint8Array, number>();

  constructor(source: SpanColumns, builder: BatchBuilder) {
    this.#source = source;
    this.#builder = builder;
  }

  /** Forgets everything when the builder has begun anew. */
  begin(): void {
    if (this.#epoch === this.#builder.epoch) return;
    this.#epoch = this.#builder.epoch;
    const { names, resources, scopes, eventNames, columns, cells } = this.#source;
    this.#names = unknown(names.count);
    this.#resources = unknown(resources.count);
    this.#scopes = unknown(scopes.count);
    this.#eventNames = unknown(eventNames.count);
    this.columns = unknown(columns.length);
    this.values = unknown(cells?.values.count ?? 0);
    this.edited.clear();
    this.#edited.clear();
  }

  name(code: number): number {
    return known(this.#names, this.#source.names, code, this.#builder.names);
  }

  resource(code: number): number {
    return known(this.#resources, this.#source.resources, code, this.#builder.resources);
  }

  /** Code of a resource that is in place of another; an edit gives the same array each time. */
  editedResource(symbol: Uint8Array): number {
    let code = this.#edited.get(symbol);
    if (code === undefined) {
      code = this.#builder.resources.intern(symbol, 0, symbol.length);
      this.#edited.set(symbol, code);
    }
    return code;
  }

  scope(code: number): number {
    return known(this.#scopes, this.#source.scopes, code, this.#builder.scopes);
  }

  eventName(code: number): number {
    return known(this.#eventNames, this.#source.eventNames, code, this.#builder.eventNames);
  }
}

function unknown(count: number): Int32Array<ArrayBuffer> {
  return new Int32Array(count).fill(-1);
}

/** Code of a symbol of the source in the builder's table. */
function known(
  codes: Int32Array,
  source: SymbolTable,
  code: number,
  target: SymbolInterner,
): number {
  // A source that grows may have more symbols by now; then it is found by its content each time.
  const found = codes[code] ?? -1;
  if (found >= 0) return found;
  const copied = target.intern(source.bytes, source.offsets[code]!, source.offsets[code + 1]!);
  if (code < codes.length) codes[code] = copied;
  return copied;
}
