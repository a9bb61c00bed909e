// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '@spoor/core/model/attributes.ts';
import { encodeText } from '@spoor/core/model/utf8.ts';
import type { AttributeValueConfig } from '#config/span-match-config.ts';

/** Turns the canonical bytes of a value into those of another one. */
export interface ValueChange {
  /** Of what becomes of a value of this type; undefined: values of the type stay. */
  typeAfter(type: ValueType): ValueType | undefined;
  /** The new value; it may be a part of `bytes`. */
  change(type: ValueType, bytes: Uint8Array, start: number, end: number): Uint8Array;
}

/** One attribute of a list that actions work on: where its value comes from, and what becomes of it. */
export interface AttributeSlot {
  readonly key: string;
  /** Type of the value in the end. */
  readonly type: ValueType;
  /** Place of the value in the list as it was; -1: it is `value`. */
  readonly from: number;
  /** Type of the value as it was. */
  readonly fromType: ValueType;
  /** Canonical bytes; of no meaning when it comes from the list. */
  readonly value: Uint8Array;
  /** One after the other. */
  readonly changes: readonly ValueChange[];
}

const NONE = new Uint8Array(0);

/** An attribute as it is in the list. */
export function givenSlot(key: string, type: ValueType, from: number): AttributeSlot {
  return { key, type, from, fromType: type, value: NONE, changes: [] };
}

/** An attribute with a value of its own. */
export function newSlot(key: string, value: AttributeValueConfig): AttributeSlot {
  const [type, bytes] = canonical(value);
  return { key, type, from: -1, fromType: type, value: bytes, changes: [] };
}

/** The value of a slot, given its bytes in the list. */
export function changedValue(
  slot: AttributeSlot,
  bytes: Uint8Array,
  start: number,
  end: number,
): Uint8Array {
  let type = slot.fromType;
  let value = bytes.subarray(start, end);
  for (const change of slot.changes) {
    value = change.change(type, value, 0, value.length);
    type = change.typeAfter(type) ?? type;
  }
  return value;
}

function canonical(value: AttributeValueConfig): [ValueType, Uint8Array] {
  if (typeof value === 'string') return [ValueType.string, encodeText(value)];
  if (typeof value === 'boolean') return [ValueType.bool, Uint8Array.of(value ? 1 : 0)];
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  if (Number.isSafeInteger(value)) {
    view.setBigInt64(0, BigInt(value), true);
    return [ValueType.int, bytes];
  }
  view.setFloat64(0, value, true);
  return [ValueType.double, bytes];
}
