// SPDX-License-Identifier: Apache-2.0
import { SpoorError, quote } from '@spoor/core/model/errors.ts';

/**
 * Reads tags as a JSON object of texts.
 * @param name of the parameter that they came in
 * @throws {SpoorError} invalid_argument
 */
export function parseTagsJson(name: string, text: string): [key: string, value: string][] {
  const malformed = (what: string, cause?: unknown): SpoorError =>
    new SpoorError('invalid_argument', `malformed '${name}' parameter, ${what}`, { cause });
  let tags: unknown;
  try {
    tags = JSON.parse(text);
  } catch (error) {
    throw malformed(`cannot unmarshal JSON: ${quote(text)}`, error);
  }
  if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) {
    throw malformed(`expecting a JSON object, received: ${quote(text)}`);
  }
  return Object.entries(tags).map(([key, value]: [string, unknown]) => {
    // Jaeger wants texts only; a number or boolean can mean nothing else, so it is taken too.
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw malformed(`the value of ${quote(key)} is not a string`);
    }
    return [key, String(value)];
  });
}
