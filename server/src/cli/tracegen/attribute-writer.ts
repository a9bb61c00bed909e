// SPDX-License-Identifier: Apache-2.0
import type { BodyWriter } from './body-writer.ts';
import { BodyWriter as Writer, varintSize } from './body-writer.ts';

/** Tags of the field `attributes` in the messages that have it (all are length-delimited). */
export const AttributeTag = {
  resource: 0x0a,
  scope: 0x1a,
  span: 0x4a,
  event: 0x1a,
  link: 0x22,
} as const;

/** A value of one of the four plain kinds; a number is an int when `int` says so. */
export type PlainValue = string | boolean | { readonly int: number } | { readonly double: number };

/** The field `KeyValue.key`, encoded once and copied into every attribute with this key. */
export function attributeKey(key: string): Uint8Array {
  const writer = new Writer(key.length + 8);
  writer.text(0x0a, key);
  return writer.copy();
}

/** A whole attribute, encoded once and copied. */
export function encodeAttribute(tag: number, key: string, value: PlainValue): Uint8Array {
  const writer = new Writer(256);
  const start = writer.begin(tag);
  writer.text(0x0a, key);
  const any = writer.begin(0x12);
  if (typeof value === 'string') {
    writer.text(0x0a, value);
  } else if (typeof value === 'boolean') {
    writer.byte(0x10);
    writer.byte(value ? 1 : 0);
  } else if ('int' in value) {
    writer.byte(0x18);
    writer.varint64(BigInt(value.int));
  } else {
    writer.byte(0x21);
    writer.double(value.double);
  }
  writer.end(any);
  writer.end(start);
  return writer.copy();
}

/** Several whole attributes back to back. */
export function encodeAttributes(
  tag: number,
  attributes: readonly (readonly [string, PlainValue])[],
): Uint8Array {
  return Buffer.concat(attributes.map(([key, value]) => encodeAttribute(tag, key, value)));
}

/** Writes an attribute with an ASCII text; the caller reserved `key.length + text.length + 24` bytes. */
export function writeAscii(writer: BodyWriter, tag: number, key: Uint8Array, text: string): void {
  const { length } = text;
  const anyLength = 1 + varintSize(length) + length;
  writer.byte(tag);
  writer.varint(key.length + 1 + varintSize(anyLength) + anyLength);
  writer.raw(key);
  writer.byte(0x12);
  writer.varint(anyLength);
  writer.byte(0x0a);
  writer.varint(length);
  writer.ascii(text);
}

/** Writes an attribute with a whole number in [0, 2^31); the caller reserved `key.length + 24` bytes. */
export function writeInt(writer: BodyWriter, tag: number, key: Uint8Array, value: number): void {
  const anyLength = 1 + varintSize(value);
  writer.byte(tag);
  writer.varint(key.length + 2 + anyLength);
  writer.raw(key);
  writer.byte(0x12);
  writer.byte(anyLength);
  writer.byte(0x18);
  writer.varint(value);
}

/** Writes an attribute with a double; the caller reserved `key.length + 24` bytes. */
export function writeDouble(writer: BodyWriter, tag: number, key: Uint8Array, value: number): void {
  writer.byte(tag);
  writer.varint(key.length + 11);
  writer.raw(key);
  writer.byte(0x12);
  writer.byte(9);
  writer.byte(0x21);
  writer.double(value);
}

/** Writes a fixed64 of ns: `base + offsetNanos`, where the base is given as two halves. */
export function writeTime(
  writer: BodyWriter,
  tag: number,
  baseLo: number,
  baseHi: number,
  offsetNanos: number,
): void {
  const sum = baseLo + offsetNanos;
  const carry = Math.floor(sum / 2 ** 32);
  writer.byte(tag);
  writer.fixed32((sum - carry * 2 ** 32) >>> 0);
  writer.fixed32((baseHi + carry) >>> 0);
}
