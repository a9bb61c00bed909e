// SPDX-License-Identifier: Apache-2.0

/** Order of the span ids `a[aAt, aAt + 8)` and `b[bAt, bAt + 8)`: negative, 0 or positive. */
export function compareSpanIds(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number {
  for (let i = 0; i < 8; i++) {
    const difference = a[aAt + i]! - b[bAt + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
