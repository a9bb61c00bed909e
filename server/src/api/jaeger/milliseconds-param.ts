// SPDX-License-Identifier: Apache-2.0
import { SpoorError, quote } from '@spoor/core/model/errors.ts';

/**
 * A whole number of milliseconds, or `fallback` where the parameter is missing or empty.
 * @throws {SpoorError} invalid_argument
 */
export function millisecondsParam(params: URLSearchParams, name: string, fallback: number): number {
  const text = params.get(name) || undefined;
  if (text === undefined) return fallback;
  // 13 digits of epoch ms reach to the year 2286.
  if (!/^\d{1,13}$/.test(text)) {
    throw new SpoorError(
      'invalid_argument',
      `unable to parse param '${name}': ${quote(text)} is not a number of milliseconds of at most 13 digits`,
    );
  }
  return Number(text);
}
