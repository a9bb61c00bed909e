// SPDX-License-Identifier: Apache-2.0
import type { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import type {
  ColumnDictionary,
  PagedValues,
  SpanDictionaries,
  SymbolTable,
} from '@spoor/core/model/span-columns.ts';
import type { BlockReader } from '../block/block-reader.ts';

/** The dictionaries of all spans of a block, each read when it is asked for. */
export class BlockDictionaries implements SpanDictionaries {
  readonly #reader: BlockReader;

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
    const { length } = reader.footer.columns;
    return reader.decoded(-1, 'column dictionaries', length * COLUMN_BYTES, () =>
      Array.from({ length }, (_, column) => new BlockColumnDictionary(reader, column)),
    );
  }
}

/** What the object below takes. */
const COLUMN_BYTES = 88;

/** What a block knows of one of its columns. */
class BlockColumnDictionary implements ColumnDictionary {
  readonly level: AttributeLevel;
  readonly type: ValueType;
  readonly key: number;
  /** A block has no column without values. */
  readonly count = 1;
  /** Those of a plain column stand in its groups. */
  readonly values = undefined;
  readonly #reader: BlockReader;
  readonly #column: number;

  constructor(reader: BlockReader, column: number) {
    const { columns } = reader.footer;
    this.level = columns.level(column);
    this.type = columns.type(column);
    this.key = columns.key(column);
    this.#reader = reader;
    this.#column = column;
  }

  get paged(): PagedValues | undefined {
    const { footer } = this.#reader;
    return footer.columns.isPlain(this.#column) ? undefined : this.#reader.dictionary(this.#column);
  }
}
