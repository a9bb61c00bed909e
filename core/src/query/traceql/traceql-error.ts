// SPDX-License-Identifier: Apache-2.0
import { quote, SpoorError } from '#model/errors.ts';

/**
 * What is wrong with a TraceQL query.
 * @param at where, in UTF-16 units from 0; the message counts characters from 1
 */
export function traceqlError(query: string, at: number, what: string): SpoorError {
  const character = Array.from(query.slice(0, at)).length + 1;
  return new SpoorError('invalid_argument', `TraceQL, character ${character}: ${what}`);
}

/** The error for a part of the language that a search cannot answer. */
export function unsupported(query: string, at: number, what: string): SpoorError {
  return traceqlError(query, at, `${what} not supported`);
}

/** How a message names a piece of the query. */
export function named(text: string): string {
  return text === '' ? 'the end' : quote(text);
}
