// SPDX-License-Identifier: Apache-2.0
import { SymbolInterner } from '#model/symbol-interner.ts';
import type { SymbolTable } from '#model/span-columns.ts';
import { symbolText } from '#model/span-reader.ts';
import { encodeText } from '#model/utf8.ts';
import { WordList } from '#model/word-list.ts';
import { compareCodePoints } from './code-point-order.ts';

/** An operation of a service. */
export interface Operation {
  readonly name: string;
  /** `SpanKind` as a number. */
  readonly kind: number;
}

/** Operations as columns, in their order: hundreds of thousands go from thread to thread in no time. */
export interface OperationList {
  /** One a row: code into `names`. */
  readonly name: Uint32Array<ArrayBuffer>;
  readonly kind: Int32Array<ArrayBuffer>;
  readonly names: {
    readonly offsets: Uint32Array<ArrayBuffer>;
    readonly bytes: Uint8Array<ArrayBuffer>;
  };
}

/** @param operations by name; names are well-formed, as all that were decoded */
export function packOperations(operations: Iterable<Operation>): OperationList {
  const [names, kinds] = [new WordList(), new WordList()];
  const table = new SymbolInterner();
  let last: string | undefined;
  for (const { name, kind } of operations) {
    if (name !== last) {
      const bytes = encodeText(name);
      table.append(bytes, 0, bytes.length);
      last = name;
    }
    names.push(table.count - 1);
    kinds.push(kind);
  }
  return {
    name: names.words.slice(0, names.count),
    kind: Int32Array.from(kinds.words.subarray(0, kinds.count)),
    names: {
      offsets: table.offsets.slice(0, table.count + 1),
      bytes: table.bytes.slice(0, table.byteCount),
    },
  };
}

/** Operations of a list, each made when it is its turn. */
export function* unpackOperations({ name, kind, names }: OperationList): Generator<Operation> {
  const table: SymbolTable = { ...names, count: names.offsets.length - 1, hashes: undefined };
  for (let row = 0; row < name.length; row++) {
    yield { name: symbolText(table, name[row]!), kind: kind[row]! };
  }
}

/** Distinct operations of lists that are each in order, in order. */
export function mergeOperations(lists: readonly Iterable<Operation>[]): Iterable<Operation> {
  if (lists.length < 2) return lists[0] ?? [];
  const half = lists.length >> 1;
  return mergeTwo(mergeOperations(lists.slice(0, half)), mergeOperations(lists.slice(half)));
}

function* mergeTwo(one: Iterable<Operation>, other: Iterable<Operation>): Generator<Operation> {
  const [left, right] = [one[Symbol.iterator](), other[Symbol.iterator]()];
  let [a, b] = [left.next(), right.next()];
  while (!(a.done ?? false) || !(b.done ?? false)) {
    const order = a.done ? 1 : b.done ? -1 : compareOperations(a.value, b.value);
    yield order <= 0 ? a.value : b.value;
    if (order <= 0) a = left.next();
    if (order >= 0) b = right.next();
  }
}

/** By name, by code point, then kind. */
function compareOperations(a: Operation, b: Operation): number {
  return compareCodePoints(a.name, b.name) || a.kind - b.kind;
}
