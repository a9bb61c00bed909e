// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '#model/errors.ts';
import { hexDigit } from '#model/ids.ts';
import type { JsonFields } from './json-fields.ts';

/**
 * Objects and lists may be nested this deep in what is passed over. Attribute values of the deepest kind that is
 * kept take 4 levels for each of theirs, about 140 in all.
 */
export const MAX_JSON_DEPTH = 512;

/** What {@link JsonReader.field} gives for a field whose value is null: it is as if the field was not there. */
export const NULL_FIELD = -1;

/** Room for unescaped text that is kept from one request to the next, in bytes. */
const MAX_IDLE_SCRATCH_BYTES = 1 << 20;

/**
 * Thrown where the text is JSON so far, but a value is not of the form that its field needs. What holds the value (a
 * span, or the whole request) is refused.
 */
export class WrongValue extends Error {}

/**
 * Reads JSON tokens from UTF-8 bytes without making strings or objects.
 *
 * It holds a position, and the text of the last string as a range of bytes: of the body itself, or where the
 * string had escapes, of a scratch buffer that grows until `begin` or `forgetTexts`.
 * @see https://www.rfc-editor.org/rfc/rfc8259
 */
export class JsonReader {
  bytes: Uint8Array = EMPTY;
  position = 0;
  /** The last string read is `textBytes[textStart, textEnd)`; not checked to be UTF-8. */
  textBytes: Uint8Array = EMPTY;
  textStart = 0;
  textEnd = 0;
  /** Halves of the last 64-bit number read. */
  lo = 0;
  hi = 0;
  /** Fields of unknown name that were passed over, since the reader was made. */
  unknownFields = 0;
  #scratch = new Uint8Array(1024);
  #scratchLength = 0;
  /** The closing brackets that are awaited while a value is passed over. */
  readonly #closers = new Uint8Array(MAX_JSON_DEPTH);
  #depth = 0;
  readonly #format: string;

  /** @param format how messages name the format */
  constructor(format = 'otlp json') {
    this.#format = format;
  }

  /** Starts on a text. */
  begin(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.position = 0;
    this.#scratchLength = 0;
    if (this.#scratch.length > MAX_IDLE_SCRATCH_BYTES) this.#scratch = new Uint8Array(1024);
    // A byte order mark is allowed to be ignored (RFC 8259 section 8.1).
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.position = 3;
    this.space();
  }

  /** Gives up the unescaped texts, so that their room is used again. */
  forgetTexts(): void {
    this.#scratchLength = 0;
  }

  /** @throws {SpoorError} malformed, with the position */
  fail(what: string, at = this.position): never {
    throw new SpoorError(
      'malformed',
      at < this.bytes.length
        ? `${this.#format}: ${what} at byte ${at}`
        : `${this.#format}: truncated: ${what} at byte ${at}, the end`,
    );
  }

  /**
   * @throws {WrongValue} with the position
   * @throws {SpoorError} malformed, where the text ends there
   */
  wrong(what: string, at = this.position): never {
    if (at >= this.bytes.length) this.fail(what, at);
    throw new WrongValue(`${what} at byte ${at}`);
  }

  /** Passes over white space. */
  space(): void {
    const bytes = this.bytes;
    let at = this.position;
    while (bytes[at]! <= 0x20 && isSpace(bytes[at]!)) at++;
    this.position = at;
  }

  /** Enters an object. @returns false when it is empty, and then it is left too */
  enterObject(): boolean {
    return this.#enter(OPEN_BRACE, CLOSE_BRACE, 'an object');
  }

  /** After a member of an object. @returns whether another one follows; when not, the object is left */
  nextMember(): boolean {
    return this.#next(CLOSE_BRACE);
  }

  /** Enters a list. @returns false when it is empty, and then it is left too */
  enterList(): boolean {
    return this.#enter(OPEN_BRACKET, CLOSE_BRACKET, 'a list');
  }

  /** After an item of a list. @returns whether another one follows; when not, the list is left */
  nextItem(): boolean {
    return this.#next(CLOSE_BRACKET);
  }

  /**
   * Reads a member's name and goes to its value.
   * @returns the field's number, 0 for an unknown one, `NULL_FIELD` when the value is null (then passed over)
   */
  field(fields: JsonFields): number {
    if (this.bytes[this.position] !== QUOTE) this.fail('no field name');
    this.#text();
    const field = fields.find(this.textBytes, this.textStart, this.textEnd);
    this.#colon();
    if (this.bytes[this.position] === LETTER_N) {
      this.position = this.#literal(this.position, NULL);
      return NULL_FIELD;
    }
    return field;
  }

  /** Reads a string into `textBytes`, `textStart` and `textEnd`. */
  string(): void {
    if (this.bytes[this.position] !== QUOTE) this.wrong('no string');
    this.#text();
  }

  /** Reads true or false. */
  boolean(): boolean {
    const first = this.bytes[this.position];
    if (first !== LETTER_T && first !== LETTER_F) this.wrong('neither true nor false');
    this.position = this.#literal(this.position, first === LETTER_T ? TRUE : FALSE);
    return first === LETTER_T;
  }

  /** Passes over a number. */
  number(): void {
    const start = this.position;
    const first = this.bytes[start]!;
    if (first !== MINUS && !(first >= DIGIT_0 && first <= DIGIT_9)) this.wrong('no number');
    this.position = this.#numberEnd(start);
  }

  /** Passes over a field of unknown name. */
  unknown(): void {
    this.unknownFields++;
    this.skipValue();
  }

  /** Passes over a value of any kind, and checks that it is JSON. */
  skipValue(): void {
    this.beginSkip();
    this.resumeSkip(Infinity);
  }

  /** Prepares for {@link resumeSkip}. */
  beginSkip(): void {
    this.#depth = 0;
  }

  /**
   * Passes over a value in parts.
   * @param limit about where to stop
   * @returns true when the whole value was passed over; false when it is to be called again, with nothing else between
   */
  resumeSkip(limit: number): boolean {
    const bytes = this.bytes;
    const closers = this.#closers;
    let depth = this.#depth;
    let at = this.position;
    for (;;) {
      // Here a value begins.
      if (at >= limit) {
        this.#depth = depth;
        this.position = at;
        return false;
      }
      const first = bytes[at]!;
      if (first === QUOTE) at = this.#stringEnd(at + 1);
      else if (first === OPEN_BRACE || first === OPEN_BRACKET) {
        // The closing brackets of ASCII stand 2 after the opening ones.
        const closer = first + 2;
        if (depth === MAX_JSON_DEPTH) this.fail(`nested over ${MAX_JSON_DEPTH} deep`, at);
        at = this.#spaceEnd(at + 1);
        if (bytes[at] === closer) at++;
        else {
          closers[depth++] = closer;
          if (first === OPEN_BRACE) at = this.#nameEnd(at);
          continue;
        }
      } else if (first === MINUS || (first >= DIGIT_0 && first <= DIGIT_9)) {
        at = this.#numberEnd(at);
      } else if (first === LETTER_T) at = this.#literal(at, TRUE);
      else if (first === LETTER_F) at = this.#literal(at, FALSE);
      else if (first === LETTER_N) at = this.#literal(at, NULL);
      else this.fail('no value', at);
      // Here a value ended.
      for (;;) {
        if (depth === 0) {
          this.position = at;
          return true;
        }
        at = this.#spaceEnd(at);
        const closer = closers[depth - 1]!;
        if (bytes[at] === COMMA) {
          at = this.#spaceEnd(at + 1);
          if (closer === CLOSE_BRACE) at = this.#nameEnd(at);
          break;
        }
        if (bytes[at] !== closer) this.fail(`neither "," nor "${String.fromCharCode(closer)}"`, at);
        at++;
        depth--;
      }
    }
  }

  #enter(open: number, close: number, what: string): boolean {
    if (this.bytes[this.position] !== open) this.wrong(`not ${what}`);
    this.position++;
    this.space();
    if (this.bytes[this.position] !== close) return true;
    this.position++;
    return false;
  }

  #next(close: number): boolean {
    this.space();
    const byte = this.bytes[this.position];
    if (byte !== COMMA && byte !== close) {
      this.fail(`neither "," nor "${String.fromCharCode(close)}"`);
    }
    this.position++;
    if (byte === close) return false;
    this.space();
    return true;
  }

  #spaceEnd(at: number): number {
    const bytes = this.bytes;
    while (bytes[at]! <= 0x20 && isSpace(bytes[at]!)) at++;
    return at;
  }

  #colon(): void {
    this.space();
    if (this.bytes[this.position] !== COLON) this.fail('no ":"');
    this.position++;
    this.space();
  }

  /** End of a member's name, its colon and the space after it. */
  #nameEnd(start: number): number {
    if (this.bytes[start] !== QUOTE) this.fail('no field name', start);
    const at = this.#spaceEnd(this.#stringEnd(start + 1));
    if (this.bytes[at] !== COLON) this.fail('no ":"', at);
    return this.#spaceEnd(at + 1);
  }

  #literal(start: number, literal: Uint8Array): number {
    for (let i = 0; i < literal.length; i++) {
      if (this.bytes[start + i] !== literal[i]) this.fail('no value', start + i);
    }
    return start + literal.length;
  }

  #numberEnd(start: number): number {
    const bytes = this.bytes;
    let at = bytes[start] === MINUS ? start + 1 : start;
    if (bytes[at] === DIGIT_0) at++;
    else at = this.#digitsEnd(at);
    if (bytes[at] === POINT) at = this.#digitsEnd(at + 1);
    // E and e
    if ((bytes[at]! | 0x20) === LETTER_E) {
      at++;
      if (bytes[at] === PLUS || bytes[at] === MINUS) at++;
      at = this.#digitsEnd(at);
    }
    return at;
  }

  #digitsEnd(start: number): number {
    const bytes = this.bytes;
    let at = start;
    while (bytes[at]! >= DIGIT_0 && bytes[at]! <= DIGIT_9) at++;
    if (at === start) this.fail('no digit', at);
    return at;
  }

  /** Position after the closing quote of a string; `at` is after the opening one. */
  #stringEnd(at: number): number {
    const bytes = this.bytes;
    const length = bytes.length;
    while (at < length) {
      const byte = bytes[at]!;
      if (byte === QUOTE) return at + 1;
      if (byte < 0x20) this.fail('a control character in a string', at);
      at++;
      if (byte !== BACKSLASH) continue;
      if (bytes[at] === LETTER_U) {
        this.#hex4(at + 1);
        at += 5;
      } else if (ESCAPES[bytes[at]!] === 0) this.fail('an unknown escape', at);
      else at++;
    }
    return this.fail('a string does not end', length);
  }

  /** Reads the string whose opening quote is at the position. */
  #text(): void {
    const bytes = this.bytes;
    const length = bytes.length;
    const start = this.position + 1;
    let at = start;
    while (at < length) {
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        this.textBytes = bytes;
        this.textStart = start;
        this.textEnd = at;
        this.position = at + 1;
        return;
      }
      if (byte === BACKSLASH) {
        this.#escapedText(start, at);
        return;
      }
      if (byte < 0x20) this.fail('a control character in a string', at);
      at++;
    }
    this.fail('a string does not end', length);
  }

  /** Reads a string that has its first escape at `at`. */
  #escapedText(start: number, at: number): void {
    const bytes = this.bytes;
    const end = this.#stringEnd(at) - 1;
    // No escape is shorter than what it stands for.
    const scratch = this.#reserve(end - start);
    const textStart = this.#scratchLength;
    let to = textStart;
    for (let from = start; from < end;) {
      const byte = bytes[from++]!;
      if (byte !== BACKSLASH) {
        scratch[to++] = byte;
        continue;
      }
      const escape = bytes[from++]!;
      if (escape !== LETTER_U) {
        scratch[to++] = ESCAPES[escape]!;
        continue;
      }
      let code = this.#hex4(from);
      from += 4;
      if (code >= 0xd800 && code < 0xe000) {
        const low =
          code < 0xdc00 && bytes[from] === BACKSLASH && bytes[from + 1] === LETTER_U
            ? this.#hex4(from + 2)
            : 0;
        if (low >= 0xdc00 && low < 0xe000) {
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
          from += 6;
        } else code = 0xfffd;
      }
      to = putCodePoint(scratch, to, code);
    }
    this.textBytes = scratch;
    this.textStart = textStart;
    this.textEnd = this.#scratchLength = to;
    this.position = end + 1;
  }

  /** Ranges of the former scratch stay as they are: what holds them keeps it alive. */
  #reserve(count: number): Uint8Array {
    if (this.#scratchLength + count > this.#scratch.length) {
      this.#scratch = new Uint8Array(Math.max(this.#scratch.length * 2, count));
      this.#scratchLength = 0;
    }
    return this.#scratch;
  }

  #hex4(at: number): number {
    let code = 0;
    for (let i = at; i < at + 4; i++) {
      const digit = i < this.bytes.length ? hexDigit(this.bytes[i]!) : -1;
      if (digit < 0) this.fail('no hex digit in an escape', i);
      code = code * 16 + digit;
    }
    return code;
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LETTER_E = 0x65;
const LETTER_F = 0x66;
const LETTER_N = 0x6e;
const LETTER_T = 0x74;
const LETTER_U = 0x75;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const TRUE = ascii('true');
const FALSE = ascii('false');
const NULL = ascii('null');

/** What the character after a backslash stands for; 0 where it is none of the escapes (`\u` is read elsewhere). */
const ESCAPES = new Uint8Array(256);
for (const [letter, meaning] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t']) {
  ESCAPES[letter!.charCodeAt(0)] = meaning!.charCodeAt(0);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Writes a code point as UTF-8 and returns where it ends. */
function putCodePoint(target: Uint8Array, at: number, code: number): number {
  if (code < 0x80) target[at++] = code;
  else {
    if (code < 0x800) target[at++] = 0xc0 | (code >> 6);
    else {
      if (code < 0x10000) target[at++] = 0xe0 | (code >> 12);
      else {
        target[at++] = 0xf0 | (code >> 18);
        target[at++] = 0x80 | ((code >> 12) & 63);
      }
      target[at++] = 0x80 | ((code >> 6) & 63);
    }
    target[at++] = 0x80 | (code & 63);
  }
  return at;
}
