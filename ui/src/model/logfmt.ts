// SPDX-License-Identifier: Apache-2.0
import type { Parsed } from './duration.ts';

/** Longest attribute filter that is read, in characters; the server's URL limit is about twice this. */
const MAX_TEXT_LENGTH = 4096;

/** Characters of a value that need quotes. */
const NEEDS_QUOTES = /[\s"=\\]/;

/**
 * Reads attributes in logfmt: `error=true http.route="/a b"`. Inside quotes `\"`, `\\`, `\n` and
 * `\t` stand for themselves. Values are text; the server compares numbers and booleans by how they are written.
 * @returns key and value pairs in order, or what is wrong, for the person who typed it.
 */
export function parseLogfmt(text: string): Parsed<[key: string, value: string][]> {
  if (text.length > MAX_TEXT_LENGTH) {
    return { error: `The filter has ${text.length} characters; ${MAX_TEXT_LENGTH} is the most.` };
  }
  const pairs: [string, string][] = [];
  const seen = new Set<string>();
  const token = /\s*(?:([^\s="]+)(=)?)?/y;
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    const key = match?.[1];
    if (key === undefined) {
      const rest = text.slice(token.lastIndex).trimStart();
      if (rest === '') break;
      return { error: `A key is missing before “${cut(rest)}”.` };
    }
    if (match?.[2] === undefined) {
      return { error: `“${cut(key)}” has no value. Write ${cut(key)}=… or ${cut(key)}="…".` };
    }
    const value = readValue(text, token.lastIndex, key);
    if ('error' in value) return value;
    if (seen.has(key)) return { error: `“${cut(key)}” is given twice. Each key can be used once.` };
    seen.add(key);
    pairs.push([key, value.value.text]);
    token.lastIndex = value.value.end;
  }
  return { value: pairs };
}

/** Writes pairs so that {@link parseLogfmt} reads the same. */
export function formatLogfmt(pairs: Iterable<readonly [key: string, value: string]>): string {
  return Array.from(pairs, ([key, value]) => {
    if (value !== '' && !NEEDS_QUOTES.test(value)) return `${key}=${value}`;
    const escaped = value.replaceAll(/["\\\n\t]/g, (char) =>
      char === '\n' ? '\\n' : char === '\t' ? '\\t' : `\\${char}`,
    );
    return `${key}="${escaped}"`;
  }).join(' ');
}

function readValue(
  text: string,
  start: number,
  key: string,
): Parsed<{ text: string; end: number }> {
  if (text[start] !== '"') {
    const bare = /[^\s]*/y;
    bare.lastIndex = start;
    const value = bare.exec(text)?.[0] ?? '';
    if (value === '') {
      return { error: `“${cut(key)}=” has no value. For an empty one write ${cut(key)}="".` };
    }
    if (/["=]/.test(value)) {
      return { error: `The value of “${cut(key)}” has a quote or = in it. Put it in quotes.` };
    }
    return { value: { text: value, end: start + value.length } };
  }
  let value = '';
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at]!;
    if (char === '"') {
      const next = text[at + 1];
      if (next !== undefined && !/\s/.test(next)) {
        return { error: `A space is missing after the quoted value of “${cut(key)}”.` };
      }
      return { value: { text: value, end: at + 1 } };
    }
    if (char !== '\\') {
      value += char;
      continue;
    }
    const escaped = text[++at] ?? '';
    value += escaped === 'n' ? '\n' : escaped === 't' ? '\t' : escaped;
  }
  return { error: `The quote in the value of “${cut(key)}” is not closed.` };
}

function cut(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
