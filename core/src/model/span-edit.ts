// SPDX-License-Identifier: Apache-2.0
import type { AttributeLevel, ValueType } from './attributes.ts';

/** One attribute or field that the copy of a span, event or link has. */
export interface EditedCell {
  readonly level: AttributeLevel;
  readonly type: ValueType;
  /** UTF-8. */
  readonly key: Uint8Array;
  /** Place in the shape of the attribute whose value it takes; -1: it has one of its own. */
  readonly from: number;
  /** It is that attribute as it was, its key as well. */
  readonly isKept: boolean;
  /** Its own value, as canonical bytes. */
  readonly value: Uint8Array;
  /**
   * What becomes of the value that it takes, given its entry in the source's table; undefined: nothing. The answer may be of
   * another type than the value, namely of `type`.
   */
  readonly map:
    | ((entry: number, bytes: Uint8Array, start: number, end: number) => Uint8Array)
    | undefined;
}

/** What is changed in spans while they are copied. */
export interface SpanEdit {
  /** Symbol in place of that of a resource with this code; undefined: it stays. */
  resource(code: number): Uint8Array | undefined;
  /**
   * Attributes, then fields, in place of those of a span, event or link with this shape; undefined: they stay.
   * @param level that of attributes of the owner
   */
  cells(level: AttributeLevel, shape: number): readonly EditedCell[] | undefined;
}
