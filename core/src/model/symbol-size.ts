// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from './errors.ts';

/**
 * A resource or scope is in every batch that has a span of it, so that the spans of one body may repeat it some hundred times. The
 * longest that programs have are command lines of some 100 KB.
 */
const MAX_SYMBOL_BYTES = 1 << 20;

/**
 * Refuses a resource or scope of so many bytes when it is too large.
 * @throws {SpoorError} too_large
 */
export function checkSymbolSize(bytes: number): void {
  if (bytes <= MAX_SYMBOL_BYTES) return;
  throw new SpoorError('too_large', `a resource or scope of ${bytes} > ${MAX_SYMBOL_BYTES} bytes`);
}
