// SPDX-License-Identifier: Apache-2.0
import { readNumber } from './number-literal.ts';
import { readString } from './string-literal.ts';
import type { Token } from './token.ts';
import { named, traceqlError } from './traceql-error.ts';

/** White space and comments, which mean nothing. */
const NOTHING = /(?:\s+|\/\/[^\n]*|\/\*[^]*?\*\/)*/y;
const WORD = /[\p{L}_][\p{L}\p{Nd}_]*(?::[\p{L}\p{Nd}_]*)?/uy;
/** What a key holds outside of quotes, and the quotes; as long as this goes on, it is the key. */
const KEY = /(?:[^\s{}()=~!<>&|^,"]+|"(?:[^"\\]|\\["\\])*")*/y;
const QUOTED_PART = /"((?:[^"\\]|\\["\\])*)"/g;
/** The longer ones first. */
const SIGN = /!>>|!<<|&>>|&<<|&&|\|\||!=|!~|=~|<=|>=|>>|<<|!>|!<|&>|&<|&~|[{}()=<>!|,~+\-*/%^]/y;

const SCOPES = ['span', 'resource', 'instrumentation', 'event', 'link', 'parent'] as const;

/**
 * Cuts a TraceQL query into tokens; the last one is the end.
 * @throws {SpoorError} invalid_argument: a text does not end, a number is none, a character is no part of the language
 */
export function tokenize(query: string): Token[] {
  const tokens: Token[] = [];
  for (let at = skip(query, 0); at < query.length;) {
    const token = readToken(query, at);
    tokens.push(token);
    at = skip(query, at + token.text.length);
  }
  tokens.push({ kind: 'end', text: '', at: query.length });
  return tokens;
}

function skip(query: string, at: number): number {
  const end = at + match(NOTHING, query, at).length;
  if (query.startsWith('/*', end)) throw traceqlError(query, end, 'the comment does not end');
  return end;
}

function readToken(query: string, at: number): Token {
  const char = query[at]!;
  const to = (end: number) => ({ text: query.slice(at, end), at });
  if (char === '"' || char === '`') {
    const { value, end } = readString(query, at);
    return { kind: 'value', value: { type: 'string', value }, ...to(end) };
  }
  if (/\d/.test(char) || (char === '.' && /\d/.test(query[at + 1] ?? ''))) {
    const { value, end } = readNumber(query, at);
    return { kind: 'value', value, ...to(end) };
  }
  if (char === '.') return readAttribute(query, at, 'unscoped', at + 1);
  const word = match(WORD, query, at);
  if (word !== '') {
    const end = at + word.length;
    if (query[end] !== '.') return { kind: 'word', ...to(end) };
    const scope = SCOPES.find((one) => one === word);
    if (scope !== undefined) return readAttribute(query, at, scope, end + 1);
    throw traceqlError(
      query,
      at,
      `${named(word)} is no scope; attributes begin with span., resource., event., link., instrumentation. or a dot`,
    );
  }
  const sign = match(SIGN, query, at);
  if (sign !== '') return { kind: 'sign', ...to(at + sign.length) };
  throw traceqlError(query, at, `${named(query.slice(at, at + 1))} is no part of TraceQL`);
}

/** @param keyAt where the key begins */
function readAttribute(
  query: string,
  at: number,
  scope: Extract<Token, { kind: 'attribute' }>['scope'],
  keyAt: number,
): Token {
  const written = match(KEY, query, keyAt);
  const end = keyAt + written.length;
  if (query[end] === '"') {
    throw traceqlError(
      query,
      end,
      'the key has a quote that does not close, or an escape that is not \\" or \\\\',
    );
  }
  if (written === '') throw traceqlError(query, at, 'the attribute has no key');
  const key = written.replaceAll(QUOTED_PART, (_, inner: string) =>
    inner.replaceAll(/\\(.)/g, '$1'),
  );
  return { kind: 'attribute', scope, key, text: query.slice(at, end), at };
}

function match(pattern: RegExp, query: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(query)?.[0] ?? '';
}
