// SPDX-License-Identifier: Apache-2.0
import type {
  ColumnDictionary,
  SpanDictionaries,
  SymbolTable,
} from '@spoor/core/model/span-columns.ts';
import type { BlockReader } from '../block/block-reader.ts';

/** The dictionaries of all spans of a block, each read when it is asked for. */
export class BlockDictionaries implements SpanDictionaries {
  readonly #reader: BlockReader;
  #columns: readonly ColumnDictionary[] | undefined;

  constructor(reader: BlockReader) {
    this.#reader = reader;
  }

  get names(): SymbolTable {
    return this.#reader.table(this.#reader.footer.names);
  }
  get resources(): SymbolTable {
    return this.#reader.table(this.#reader.footer.resources);
  }
  get scopes(): SymbolTable {
    return this.#reader.table(this.#reader.footer.scopes);
  }
  get keys(): SymbolTable {
    return this.#reader.table(this.#reader.footer.keys);
  }

  get columns(): readonly ColumnDictionary[] {
    const reader = this.#reader;
    const { columns } = reader.footer;
    this.#columns ??= columns.list().map(({ level, type, key }, id) => ({
      level,
      type,
      key,
      // A block has no column without values; those of a plain one stand in its groups.
      count: 1,
      values: undefined,
      get paged() {
        return columns.isPlain(id) ? undefined : reader.dictionary(id);
      },
    }));
    return this.#columns;
  }
}
