// SPDX-License-Identifier: Apache-2.0

/**
 * Order of two texts by code point, which is also that of their UTF-8. JavaScript's own order, by UTF-16, puts what is beyond
 * U+FFFF before U+E000.
 */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Sorts texts by code point, in place. */
export function sortCodePoints(texts: string[]): string[] {
  // Both orders are the same without surrogates, and V8 sorts by its own in a third of the time.
  return texts.some((text) => SURROGATE.test(text)) ? texts.sort(compareCodePoints) : texts.sort();
}

const SURROGATE = /[\ud800-\udfff]/;

/** Surrogates, which only code points beyond U+FFFF have, are moved behind everything else. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
