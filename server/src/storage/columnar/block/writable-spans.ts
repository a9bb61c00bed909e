// SPDX-License-Identifier: Apache-2.0
import type { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import type { ShapeTable, SymbolTable } from '@spoor/core/model/span-columns.ts';

/** Events or links of all rows; those of row `r` are `[rowOffsets[r], rowOffsets[r + 1])`. */
export interface WritableItems {
  readonly count: number;
  readonly rowOffsets: Uint32Array;
  readonly shape: Uint32Array;
  /** Where the values of each item begin in `cells`. */
  readonly cellStart: Uint32Array;
}

/** A column of attributes of a block. */
export interface WritableColumn {
  readonly level: AttributeLevel;
  readonly type: ValueType;
  /** Code in the block's keys. */
  readonly key: number;
  /** True: every value stands for itself, in row order. */
  readonly isPlain: boolean;
  /** What the cells of a plain column are entries of; those of others are entries of the block's dictionary. */
  readonly table: SymbolTable;
}

/**
 * Spans under the symbols, columns and shapes of a block: what its groups are written from. All batches of a slab are one, in any
 * order; a merge puts together one for each group. Arrays may be longer than what is in use.
 */
export interface WritableSpans {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId: Uint8Array;
  /** The ids again, as words of four bytes, for telling whether two are equal. */
  readonly spanWords: Uint32Array;
  readonly parentWords: Uint32Array;
  readonly startLo: Uint32Array;
  readonly startHi: Uint32Array;
  readonly durationLo: Uint32Array;
  readonly durationHi: Uint32Array;
  readonly flags: Uint32Array;
  readonly kind: Uint8Array;
  readonly status: Uint8Array;
  readonly name: Uint32Array;
  readonly resource: Uint32Array;
  readonly scope: Uint32Array;
  readonly shape: Uint32Array;
  /** Where the values of each row begin in `cells`. */
  readonly cellStart: Uint32Array;
  /** For each attribute of each row, event and link, in the order of its shape: what stands for its value in its column. */
  readonly cells: Uint32Array;
  readonly names: SymbolTable;
  readonly resources: SymbolTable;
  readonly scopes: SymbolTable;
  readonly eventNames: SymbolTable;
  readonly keys: SymbolTable;
  readonly shapes: ShapeTable;
  readonly columns: readonly WritableColumn[];
  readonly events: WritableItems & {
    readonly timeLo: Uint32Array;
    readonly timeHi: Uint32Array;
    readonly name: Uint32Array;
  };
  readonly links: WritableItems & {
    readonly traceId: Uint8Array;
    readonly spanId: Uint8Array;
    readonly flags: Uint32Array;
  };
}
