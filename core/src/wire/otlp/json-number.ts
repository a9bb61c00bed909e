// SPDX-License-Identifier: Apache-2.0
import { decodeText } from '#model/utf8.ts';
import type { JsonFields } from './json-fields.ts';
import type { JsonReader } from './json-reader.ts';

/** Parts of a JSON number: sign, digits before and after the point, exponent. */
const NUMBER = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/;

/** Digits of the largest 64-bit number. */
const MAX_DIGITS = 20;

/** Numbers are read as text up to this length, in bytes: the longest exact double has 767 digits. */
const MAX_NUMBER_BYTES = 1100;

/** Up to 10^22 a power of ten is an exact double. */
const POWERS_OF_TEN: readonly number[] = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

/**
 * Reads an integer of 0 to 2^64 - 1 into `reader.lo` and `reader.hi`. Like all numbers here it may be a JSON number or
 * a string, with or without exponent.
 * @throws {WrongValue}
 */
export function readUint64(reader: JsonReader): void {
  const start = reader.position;
  const negative = readMagnitude(reader);
  if (negative && (reader.lo !== 0 || reader.hi !== 0)) outOfRange(reader, start);
}

/**
 * Reads an integer of -2^63 to 2^63 - 1 into `reader.lo` and `reader.hi`, as two's complement.
 * @throws {WrongValue}
 */
export function readInt64(reader: JsonReader): void {
  const start = reader.position;
  if (readMagnitude(reader)) {
    if (reader.hi > 0x80000000 || (reader.hi === 0x80000000 && reader.lo !== 0)) {
      outOfRange(reader, start);
    }
    reader.hi = (~reader.hi + (reader.lo === 0 ? 1 : 0)) >>> 0;
    reader.lo = -reader.lo >>> 0;
  } else if (reader.hi >= 0x80000000) outOfRange(reader, start);
}

/**
 * Reads an integer of 0 to 2^32 - 1.
 * @throws {WrongValue}
 */
export function readUint32(reader: JsonReader): number {
  const start = reader.position;
  const negative = readMagnitude(reader);
  if (reader.hi !== 0 || (negative && reader.lo !== 0)) outOfRange(reader, start);
  return reader.lo;
}

/**
 * Reads an enum: its number (an int32), or its name.
 * @returns the number's 32 bits, unsigned
 * @throws {WrongValue}
 */
export function readEnum(reader: JsonReader, names: JsonFields): number {
  const start = reader.position;
  if (reader.bytes[start] === QUOTE) {
    reader.string();
    const found = names.find(reader.textBytes, reader.textStart, reader.textEnd);
    if (found > 0) return found - 1;
    reader.position = start;
  }
  readInt64(reader);
  if (reader.hi !== (reader.lo & 0x80000000 ? 0xffffffff : 0)) outOfRange(reader, start);
  return reader.lo;
}

/**
 * Reads a double; the strings NaN, Infinity and -Infinity are three of them.
 * @throws {WrongValue}
 */
export function readDouble(reader: JsonReader): number {
  const at = reader.position;
  const { bytes } = reader;
  if (bytes[at] !== QUOTE) {
    reader.number();
    return (
      shortDouble(bytes, at, reader.position) ?? finite(reader, at, bytes, at, reader.position)
    );
  }
  reader.string();
  const { textBytes, textStart, textEnd } = reader;
  if (textEnd - textStart <= '-Infinity'.length) {
    const text = decodeText(textBytes, textStart, textEnd);
    if (text === 'NaN') return NaN;
    if (text === 'Infinity') return Infinity;
    if (text === '-Infinity') return -Infinity;
  }
  return finite(reader, at, textBytes, textStart, textEnd);
}

/** The double, where one exact operation gives it; else undefined. The range must hold a JSON number. */
function shortDouble(bytes: Uint8Array, start: number, end: number): number | undefined {
  // 15 digits, a sign and a point.
  if (end - start > 17) return undefined;
  let at = bytes[start] === MINUS ? start + 1 : start;
  let digits = 0;
  let value = 0;
  let decimals = 0;
  let afterPoint = false;
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === POINT) afterPoint = true;
    else if (byte >= DIGIT_0 && byte <= DIGIT_9) {
      value = value * 10 + byte - DIGIT_0;
      digits++;
      if (afterPoint) decimals++;
    } else return undefined;
  }
  if (digits > 15) return undefined;
  value /= POWERS_OF_TEN[decimals]!;
  return bytes[start] === MINUS ? -value : value;
}

/** The double in `bytes[start, end)`, by the general way; its token stands at `at`. */
function finite(
  reader: JsonReader,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  const text = numberText(reader, at, bytes, start, end);
  if (!NUMBER.test(text)) reader.wrong('no number', at);
  const value = Number(text);
  if (!Number.isFinite(value)) reader.wrong('a number out of the range of doubles', at);
  return value;
}

function numberText(
  reader: JsonReader,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): string {
  if (end - start > MAX_NUMBER_BYTES) {
    reader.wrong(`a number of ${end - start} > ${MAX_NUMBER_BYTES} bytes`, at);
  }
  return decodeText(bytes, start, end);
}

/** Reads the magnitude of an integer into `lo` and `hi`. @returns whether it has a minus */
function readMagnitude(reader: JsonReader): boolean {
  const tokenAt = reader.position;
  let bytes = reader.bytes;
  let start = tokenAt;
  let end: number;
  if (bytes[tokenAt] === QUOTE) {
    reader.string();
    bytes = reader.textBytes;
    start = reader.textStart;
    end = reader.textEnd;
  } else {
    reader.number();
    end = reader.position;
  }
  const negative = bytes[start] === MINUS;
  let at = negative ? start + 1 : start;
  const count = end - at;
  // A number up to 10^15 is exact in a double, and so is each half of it times 10^5.
  const headEnd = count > 15 ? at + 15 : end;
  let head = 0;
  let tail = 0;
  let scale = 1;
  for (; at < headEnd; at++) {
    const digit = bytes[at]! - DIGIT_0;
    if (digit < 0 || digit > 9) return generalMagnitude(reader, tokenAt, bytes, start, end);
    head = head * 10 + digit;
  }
  if (count < 1 || count > MAX_DIGITS) return generalMagnitude(reader, tokenAt, bytes, start, end);
  for (; at < end; at++) {
    const digit = bytes[at]! - DIGIT_0;
    if (digit < 0 || digit > 9) return generalMagnitude(reader, tokenAt, bytes, start, end);
    tail = tail * 10 + digit;
    scale *= 10;
  }
  const low = (head >>> 0) * scale + tail;
  const high = Math.floor(head / 2 ** 32) * scale + Math.floor(low / 2 ** 32);
  if (high >= 2 ** 32) outOfRange(reader, tokenAt);
  reader.lo = low >>> 0;
  reader.hi = high;
  return negative;
}

/** As {@link readMagnitude}, for forms like 1.5e3 and 1000.0. */
function generalMagnitude(
  reader: JsonReader,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  const match = NUMBER.exec(numberText(reader, at, bytes, start, end));
  if (match === null) return reader.wrong('no integer', at);
  const fraction = match[3] ?? '';
  const digits = `${match[2]}${fraction}`.replace(/^0+/, '');
  const shift = Number(match[4] ?? 0) - fraction.length;
  if (digits.length + shift > MAX_DIGITS && digits !== '') outOfRange(reader, at);
  let whole = digits;
  if (shift < 0) {
    whole = digits.slice(0, shift);
    if (/[1-9]/.test(digits.slice(shift))) reader.wrong('no integer', at);
  } else if (digits !== '') whole = digits.padEnd(digits.length + shift, '0');
  const value = BigInt(whole);
  if (value >= 1n << 64n) outOfRange(reader, at);
  reader.lo = Number(value & 0xffffffffn);
  reader.hi = Number(value >> 32n);
  return match[1] === '-';
}

function outOfRange(reader: JsonReader, at: number): never {
  return reader.wrong('an integer out of range', at);
}

const QUOTE = 0x22;
const MINUS = 0x2d;
const POINT = 0x2e;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
