// SPDX-License-Identifier: Apache-2.0

/** Copies the `length` bytes of an id. */
export function copyId(
  source: Uint8Array,
  start: number,
  target: Uint8Array,
  offset: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) target[offset + i] = source[start + i]!;
}

/** As {@link copyId}, `count` words of four bytes: fewer steps. */
export function copyWords(
  source: DataView,
  start: number,
  target: Uint32Array,
  offset: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) target[offset + i] = source.getUint32(start + i * 4, true);
}

/** Whether an id of `count` words is all zeros. */
export function isZero(words: Uint32Array, offset: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (words[offset + i] !== 0) return false;
  return true;
}

/** Makes an id all zeros. */
export function clearId(target: Uint8Array, offset: number, length: number): void {
  for (let i = 0; i < length; i++) target[offset + i] = 0;
}
