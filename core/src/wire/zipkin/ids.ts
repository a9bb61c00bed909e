// SPDX-License-Identifier: Apache-2.0
import { hexDigit } from '#model/ids.ts';

/**
 * Reads an id of 1 to `2 * size` hex digits into `target[at, at + size)`; a short one has zeros in front, as Zipkin has it.
 * @returns whether it is one; an empty text is none at all and gives zeros
 */
export function readHexId(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
  size: number,
): boolean {
  target.fill(0, at, at + size);
  if (end - start > size * 2) return false;
  let to = at + size - 1;
  for (let from = end - 1; from >= start; from -= 2) {
    const low = hexDigit(bytes[from]!);
    const high = from - 1 >= start ? hexDigit(bytes[from - 1]!) : 0;
    if ((high | low) < 0) return false;
    target[to--] = (high << 4) | low;
  }
  return true;
}
