// SPDX-License-Identifier: Apache-2.0

/** The number in the four bytes at `at`, the lowest first. */
export function getUint32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}
