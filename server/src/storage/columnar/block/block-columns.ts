// SPDX-License-Identifier: Apache-2.0
import type { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import type { BlockColumn, PageRef } from './block-format.ts';

/** Words of a column: level, type and whether it is plain; key; where its pages end among those of all columns. */
export const COLUMN_WORDS = 3;

/** Words of a page: entries, chunk, chunk that says in which groups they are. */
export const PAGE_WORDS = 7;

const PLAIN = 1 << 16;

/** In place of a frame: there is no such chunk. */
export const NO_CHUNK = 0xffffffff;

/** The columns of a block, as the footer has them: some have tens of thousands, most of them with one page. */
export class BlockColumns implements Iterable<BlockColumn> {
  readonly length: number;
  /** {@link COLUMN_WORDS} for each, then {@link PAGE_WORDS} for each page. */
  readonly words: Uint32Array;

  constructor(words: Uint32Array, length: number) {
    this.words = words;
    this.length = length;
  }

  static of(columns: readonly BlockColumn[]): BlockColumns {
    const pages = columns.flatMap((column) => column.pages ?? []);
    const pagesAt = columns.length * COLUMN_WORDS;
    const words = new Uint32Array(pagesAt + pages.length * PAGE_WORDS);
    let end = 0;
    columns.forEach((column, c) => {
      end += column.pages?.length ?? 0;
      putColumn(words, c, { ...column, isPlain: column.pages === undefined }, end);
    });
    pages.forEach(({ count, chunk, groups = [NO_CHUNK, 0, 0] }, page) => {
      words.set([count, ...chunk, ...groups], pagesAt + page * PAGE_WORDS);
    });
    return new BlockColumns(words, columns.length);
  }

  level(column: number): AttributeLevel {
    // The footer's checksum says that it is what the writer wrote.
    return (this.words[column * COLUMN_WORDS]! & 255) as AttributeLevel;
  }

  type(column: number): ValueType {
    return ((this.words[column * COLUMN_WORDS]! >>> 8) & 255) as ValueType;
  }

  key(column: number): number {
    return this.words[column * COLUMN_WORDS + 1]!;
  }

  isPlain(column: number): boolean {
    return (this.words[column * COLUMN_WORDS]! & PLAIN) !== 0;
  }

  /** Entries of a column's dictionary; 0 where it is plain. */
  entries(column: number): number {
    let sum = 0;
    const end = this.#pageEnd(column);
    for (let page = this.#pageEnd(column - 1); page < end; page++) {
      sum += this.words[this.#pageAt(page)]!;
    }
    return sum;
  }

  /** Pages of a column's dictionary, in order; undefined where it is plain. */
  pages(column: number): PageRef[] | undefined {
    if (this.isPlain(column)) return undefined;
    const refs: PageRef[] = [];
    const { words } = this;
    const end = this.#pageEnd(column);
    for (let page = this.#pageEnd(column - 1); page < end; page++) {
      const at = this.#pageAt(page);
      const count = words[at]!;
      const chunk = [words[at + 1]!, words[at + 2]!, words[at + 3]!] as const;
      const groups = [words[at + 4]!, words[at + 5]!, words[at + 6]!] as const;
      refs.push(groups[0] === NO_CHUNK ? { count, chunk } : { count, chunk, groups });
    }
    return refs;
  }

  /** A column, made anew with each call. */
  at(column: number): BlockColumn {
    return {
      level: this.level(column),
      type: this.type(column),
      key: this.key(column),
      pages: this.pages(column),
    };
  }

  /** What the columns are, without their pages, of which there are as many again. */
  list(): Pick<BlockColumn, 'level' | 'type' | 'key'>[] {
    return Array.from({ length: this.length }, (_, column) => ({
      level: this.level(column),
      type: this.type(column),
      key: this.key(column),
    }));
  }

  *[Symbol.iterator](): Generator<BlockColumn, void, undefined> {
    for (let column = 0; column < this.length; column++) yield this.at(column);
  }

  #pageEnd(column: number): number {
    return column < 0 ? 0 : this.words[column * COLUMN_WORDS + 2]!;
  }

  #pageAt(page: number): number {
    return this.length * COLUMN_WORDS + page * PAGE_WORDS;
  }
}

/** Puts the words of a column to their place. */
export function putColumn(
  words: Uint32Array,
  column: number,
  { level, type, key, isPlain }: Omit<BlockColumn, 'pages'> & { readonly isPlain: boolean },
  pageEnd: number,
): void {
  const at = column * COLUMN_WORDS;
  words[at] = level | (type << 8) | (isPlain ? PLAIN : 0);
  words[at + 1] = key;
  words[at + 2] = pageEnd;
}
