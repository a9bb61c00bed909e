// SPDX-License-Identifier: Apache-2.0
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { symbolText } from '@spoor/core/model/span-reader.ts';

/** What the columns of a block are called in the breakdown of its bytes; those of one key alike. */
export class ColumnNames {
  readonly #keys: SymbolTable;
  readonly #names: string[] = [];

  constructor(keys: SymbolTable) {
    this.#keys = keys;
  }

  of(key: number): string {
    return (this.#names[key] ??= `attribute ${symbolText(this.#keys, key)}`);
  }
}
