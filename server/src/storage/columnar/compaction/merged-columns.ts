// SPDX-License-Identifier: Apache-2.0
import { isPeerKey } from '@spoor/core/analysis/peer-finder.ts';
import { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { symbolText } from '@spoor/core/model/span-reader.ts';
import { getUint32 } from '@spoor/core/model/uint32.ts';
import type { PageRef } from '../block/block-format.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { ColumnNames } from '../block/column-names.ts';
import { DictionaryWriter } from '../block/dictionary-writer.ts';
import type { FrameWriter } from '../block/frame-writer.ts';
import { columnNumber, compareValues, inColumnOrder } from '../block/value-dictionary.ts';
import { decodeValues } from '../block/values-chunk.ts';
import { PlainValues } from './plain-values.ts';
import type { SourceUse } from './source-use.ts';

/** A column of the new block. */
interface MergedColumnInfo {
  readonly level: AttributeLevel;
  readonly type: ValueType;
  readonly key: number;
  readonly isPlain: boolean;
  /** The dictionary's values, where what is derived from spans looks at them. */
  readonly values: PlainValues | undefined;
}

/** A column that some of the blocks have. */
interface FoundColumn extends Pick<MergedColumnInfo, 'level' | 'type' | 'key' | 'isPlain'> {
  /** Two numbers for each of them: its number, and that of the column there. */
  readonly places: number[];
}

/** The columns of the new block, and where those of the sources are in it. */
export interface MergedColumns {
  readonly columns: readonly MergedColumnInfo[];
  readonly dictionaries: DictionaryWriter;
  /** Per source and column of it: the column of the new block. */
  readonly ids: readonly Uint32Array[];
  /** Per source and column of it: the entries of its dictionary; undefined for a plain column. */
  readonly entries: readonly (Uint32Array | undefined)[][];
}

/** A block whose columns are merged. */
export interface ColumnSource {
  readonly reader: BlockReader;
  /** Codes of its keys in the new block. */
  readonly keys: Uint32Array;
  /** What of it is kept; undefined for everything. */
  readonly use: SourceUse | undefined;
}

/**
 * Finds the columns of a new block, and writes their dictionaries. Columns are the same when level, type, key and kind of storage
 * are: a column that is plain in one source and has a dictionary in another becomes two, so that no value has to be looked up or
 * interned. Dictionaries are sorted, so each is read once, page by page, column after column in the order that all blocks have; only the
 * maps of their entries are kept, 4 bytes each, and the values of the few attributes that name peers.
 */
export function mergeColumns(
  sources: readonly ColumnSource[],
  keys: SymbolTable,
  frames: FrameWriter,
): MergedColumns {
  const ids = sources.map(({ reader }) => new Uint32Array(reader.footer.columns.length));
  const entries = sources.map(({ reader }): (Uint32Array | undefined)[] =>
    Array.from({ length: reader.footer.columns.length }, () => undefined),
  );
  const found = new Map<number, FoundColumn>();
  sources.forEach(({ reader, keys: keyMap, use }, s) => {
    const { columns: known } = reader.footer;
    for (let c = 0; c < known.length; c++) {
      if (use !== undefined && use.columns[c] === 0) continue;
      const [level, type, isPlain] = [known.level(c), known.type(c), known.isPlain(c)];
      const newKey = keyMap[known.key(c)]!;
      const slot = columnNumber({ level, type, key: newKey, isPlain });
      const column = found.get(slot);
      if (column !== undefined) column.places.push(s, c);
      else found.set(slot, { level, type, key: newKey, isPlain, places: [s, c] });
    }
  });
  const dictionaries = new DictionaryWriter(frames);
  const names = new ColumnNames(keys);
  const columns = inColumnOrder([...found.values()], keys).map((column, id): MergedColumnInfo => {
    const { level, type, key, isPlain, places } = column;
    const cursors: DictionaryCursor[] = [];
    for (let i = 0; i < places.length; i += 2) {
      const [s, c] = [places[i]!, places[i + 1]!];
      const { reader, use } = sources[s]!;
      ids[s]![c] = id;
      const pages = reader.footer.columns.pages(c);
      if (pages === undefined) continue;
      const cursor = new DictionaryCursor(
        reader,
        type,
        new Uint32Array(reader.footer.columns.entries(c)),
        pages,
        use?.entries[c],
      );
      entries[s]![c] = cursor.map;
      cursors.push(cursor);
    }
    if (isPlain) {
      dictionaries.skip();
      return { level, type, key, isPlain, values: undefined };
    }
    const isLookedAt =
      level === AttributeLevel.span &&
      type === ValueType.string &&
      isPeerKey(symbolText(keys, key));
    dictionaries.begin(names.of(key), type);
    const values = isLookedAt ? new PlainValues() : undefined;
    mergeDictionaries(type, cursors, dictionaries, values);
    dictionaries.end();
    return { level, type, key, isPlain, values };
  });
  frames.flush();
  return { columns, dictionaries, ids, entries };
}

/** Writes the values of sorted dictionaries in their order, each once. */
function mergeDictionaries(
  type: ValueType,
  cursors: readonly DictionaryCursor[],
  dictionary: DictionaryWriter,
  values: PlainValues | undefined,
): void {
  let rest = cursors.filter(({ done }) => !done);
  const equal: DictionaryCursor[] = [];
  while (rest.length > 0) {
    const least = findLeast(type, rest, equal);
    const entry = dictionary.entries;
    dictionary.add(least.table, least.entry);
    values?.append(least.table, least.entry);
    if (advanceAll(equal, entry)) rest = rest.filter(({ done }) => !done);
  }
}

/** The cursor at the least value; `equal` becomes the list of all that stand at this value. */
function findLeast(
  type: ValueType,
  cursors: readonly DictionaryCursor[],
  equal: DictionaryCursor[],
): DictionaryCursor {
  let least = cursors[0]!;
  equal.length = 1;
  equal[0] = least;
  for (let i = 1; i < cursors.length; i++) {
    const cursor = cursors[i]!;
    // Most values are told apart by their beginnings.
    if (cursor.head > least.head) continue;
    const order =
      cursor.head < least.head
        ? -1
        : compareValues(type, cursor.table, cursor.entry, least.table, least.entry);
    if (order > 0) continue;
    if (order < 0) {
      equal.length = 0;
      least = cursor;
    }
    equal.push(cursor);
  }
  return least;
}

/** @returns whether one of the cursors has come to its end */
function advanceAll(cursors: readonly DictionaryCursor[], newEntry: number): boolean {
  let ended = false;
  for (const cursor of cursors) {
    cursor.next(newEntry);
    ended ||= cursor.done;
  }
  return ended;
}

/** Goes through a dictionary that may be larger than memory. */
class DictionaryCursor {
  /** Entry of the new dictionary for each entry that was passed. */
  readonly map: Uint32Array;
  /** The value it stands at. */
  table!: SymbolTable;
  entry = -1;
  /** Orders as the values do, but for those that begin alike. */
  head = 0;
  done = false;
  readonly #type: ValueType;
  readonly #reader: BlockReader;
  readonly #pages: readonly PageRef[];
  readonly #used: Uint8Array | undefined;
  #page = -1;
  #passed = -1;

  /**
   * @param map filled with the entries of the new dictionary
   * @param used 1 for each entry that is wanted; undefined when all are
   */
  constructor(
    reader: BlockReader,
    type: ValueType,
    map: Uint32Array,
    pages: readonly PageRef[],
    used: Uint8Array | undefined,
  ) {
    this.#type = type;
    this.#reader = reader;
    this.#pages = pages;
    this.#used = used;
    this.map = map;
    this.#advance();
  }

  /** Notes the entry of the new dictionary for the value it stands at, and goes to the next one. */
  next(newEntry: number): void {
    this.map[this.#passed] = newEntry;
    this.#advance();
  }

  #advance(): void {
    do {
      this.#passed++;
      this.entry++;
      if (this.#page < 0 || this.entry === this.table.count) {
        const page = this.#pages[++this.#page];
        if (page === undefined) {
          this.done = true;
          return;
        }
        this.table = decodeValues(this.#reader.chunk(page.chunk), page.count);
        this.entry = 0;
      }
    } while (this.#used !== undefined && this.#used[this.#passed] === 0);
    this.head = headOf(this.#type, this.table, this.entry);
  }
}

/** The first six bytes of a value as a number, or an integer as far as a double holds it. */
function headOf(type: ValueType, { offsets, bytes }: SymbolTable, entry: number): number {
  const start = offsets[entry]!;
  if (type === ValueType.int) {
    return (getUint32(bytes, start + 4) | 0) * 4294967296 + getUint32(bytes, start);
  }
  const end = offsets[entry + 1]!;
  let head = 0;
  for (let at = start; at < start + 6; at++) head = head * 256 + (at < end ? bytes[at]! : 0);
  return head;
}
