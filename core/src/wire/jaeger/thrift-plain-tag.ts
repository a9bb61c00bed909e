// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '#model/attributes.ts';
import type { JaegerTag } from './tag.ts';
import { TagType } from './thrift-tag-type.ts';

/**
 * Reads a `Tag` struct at `bytes[at]` that is a text or an integer in the form in which every client writes it: key, type and
 * value, in this order and nothing else. Nearly all tags are such, and reading them field by field takes three times as long.
 * @returns where the struct ends; -1 when it has another form, or is cut off
 */
export type PlainTagReader = (bytes: Uint8Array, at: number, tag: JaegerTag) => number;

/** In the compact protocol; lengths of one or two bytes. Past the end there are undefined bytes, which equal none. */
export function readPlainCompactTag(bytes: Uint8Array, at: number, tag: JaegerTag): number {
  const keyLength = bytes[at + 1]!;
  if (bytes[at] !== COMPACT_KEY || keyLength >= 128) return -1;
  const keyEnd = at + 2 + keyLength;
  if (bytes[keyEnd] !== COMPACT_TYPE) return -1;
  const type = bytes[keyEnd + 1]!;
  const head = bytes[keyEnd + 2]!;
  let end = keyEnd + 3;
  if (type === TEXT && head === COMPACT_TEXT) {
    let length = bytes[end++]!;
    if (length >= 128) {
      const high = bytes[end++]!;
      if (high >= 128) return -1;
      length = (length & 127) | (high << 7);
    }
    const start = end;
    end += length;
    tag.setRange(ValueType.string, start, end);
  } else if (type === LONG && head === COMPACT_LONG) {
    let zigzag = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[end++]!;
      zigzag |= (byte & 127) << shift;
      if (byte < 128) break;
      // Larger numbers are rare.
      if (shift === 21) return -1;
    }
    const value = (zigzag >>> 1) ^ -(zigzag & 1);
    tag.set64(ValueType.int, value, value >> 31);
  } else return -1;
  return endTag(bytes, end, tag, at, at + 2, keyEnd);
}

/** Heads of the fields: the step from the id before, and the type. */
const COMPACT_KEY = 0x18;
const COMPACT_TYPE = 0x15;
const COMPACT_TEXT = 0x18;
const COMPACT_LONG = 0x46;
/** The types as zigzags. */
const TEXT = TagType.string * 2;
const LONG = TagType.long * 2;

/** In the binary protocol; lengths below 64 KiB. */
export function readPlainBinaryTag(bytes: Uint8Array, at: number, tag: JaegerTag): number {
  // Each field is its type, two bytes of its id, and its value; lengths and numbers have four bytes.
  if (!isField(bytes, at, BINARY_STRING, 1) || !isShort(bytes, at + 3)) return -1;
  const keyStart = at + 7;
  const keyEnd = keyStart + ((bytes[at + 5]! << 8) | bytes[at + 6]!);
  if (!isField(bytes, keyEnd, BINARY_I32, 2) || !isShort(bytes, keyEnd + 3)) return -1;
  if (bytes[keyEnd + 5] !== 0) return -1;
  const type = bytes[keyEnd + 6];
  const value = keyEnd + 10;
  let end: number;
  if (type === TagType.string && isField(bytes, value - 3, BINARY_STRING, 3)) {
    if (!isShort(bytes, value)) return -1;
    end = value + 4 + ((bytes[value + 2]! << 8) | bytes[value + 3]!);
    tag.setRange(ValueType.string, value + 4, end);
  } else if (type === TagType.long && isField(bytes, value - 3, BINARY_I64, 6)) {
    tag.set64(ValueType.int, bigEndianWord(bytes, value + 4), bigEndianWord(bytes, value));
    end = value + 8;
  } else return -1;
  return endTag(bytes, end, tag, at, keyStart, keyEnd);
}

const BINARY_STRING = 11;
const BINARY_I32 = 8;
const BINARY_I64 = 10;

function isField(bytes: Uint8Array, at: number, type: number, id: number): boolean {
  return bytes[at] === type && bytes[at + 1] === 0 && bytes[at + 2] === id;
}

/** Whether a number's upper two bytes are zero. */
function isShort(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0 && bytes[at + 1] === 0;
}

/** Big endian. */
function bigEndianWord(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

function endTag(
  bytes: Uint8Array,
  end: number,
  tag: JaegerTag,
  start: number,
  keyStart: number,
  keyEnd: number,
): number {
  // The end of the struct.
  if (bytes[end] !== 0) return -1;
  tag.encodedStart = start;
  tag.encodedEnd = end + 1;
  tag.keyStart = keyStart;
  tag.keyEnd = keyEnd;
  return end + 1;
}
