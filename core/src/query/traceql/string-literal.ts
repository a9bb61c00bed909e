// SPDX-License-Identifier: Apache-2.0
import { named, traceqlError } from './traceql-error.ts';

/** A text in double quotes with Go's escapes, as far as they are on one line and end. */
const QUOTED = /"(?:[^"\\\n]|\\[^\n])*"/y;
/** A text in back quotes, in which nothing is escaped. */
const RAW = /`[^`]*`/y;
const ESCAPE = /\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)/gsu;

const ESCAPED: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

/**
 * Reads a text as Go writes texts, in double or back quotes.
 * @param at of the quote that it begins with
 * @returns what it says, and where it ends
 * @throws {SpoorError} invalid_argument
 * @see https://go.dev/ref/spec#String_literals
 */
export function readString(query: string, at: number): { value: string; end: number } {
  const isRaw = query[at] === '`';
  const pattern = isRaw ? RAW : QUOTED;
  pattern.lastIndex = at;
  const match = pattern.exec(query);
  if (match === null) {
    throw traceqlError(query, at, `the text that begins here has no closing ${query[at]}`);
  }
  const end = at + match[0].length;
  const inner = match[0].slice(1, -1);
  // As in Go, a carriage return in back quotes is left out.
  if (isRaw) return { value: inner.replaceAll('\r', ''), end };
  const value = inner.replaceAll(ESCAPE, (escape: string, offset: number) => {
    const char = escapedChar(escape);
    if (char !== undefined) return char;
    throw traceqlError(query, at + 1 + offset, `${named(escape)} stands for no character`);
  });
  return { value, end };
}

/** The character that an escape stands for. A byte of UTF-8 alone is none, which Go would take. */
function escapedChar(escape: string): string | undefined {
  const kind = escape[1]!;
  const known = ESCAPED[kind];
  if (known !== undefined) return known;
  if (escape.length === 2) return undefined;
  const isByte = kind === 'x' || /[0-7]/.test(kind);
  const code = /[0-7]/.test(kind) ? parseInt(escape.slice(1), 8) : parseInt(escape.slice(2), 16);
  if (code > (isByte ? 0x7f : 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  return String.fromCodePoint(code);
}
