// SPDX-License-Identifier: Apache-2.0

/** A set of code points as ranges: from, to (inclusive), from, to, … in any order, also overlapping. */
export type CodePoints = readonly number[];

export const MAX_CODE_POINT = 0x10ffff;

const DIGIT: CodePoints = [0x30, 0x39];
const UPPER: CodePoints = [0x41, 0x5a];
const LOWER: CodePoints = [0x61, 0x7a];
const ALPHA: CodePoints = [...UPPER, ...LOWER];
const WORD: CodePoints = [...DIGIT, ...ALPHA, 0x5f, 0x5f];

/**
 * The classes `\d`, `\s`, `\w` and, written `[:name:]` inside of brackets, those of POSIX. All are ASCII.
 * @see https://github.com/google/re2/wiki/Syntax
 */
export const NAMED_CLASSES: Readonly<Record<string, CodePoints>> = {
  d: DIGIT,
  s: [0x09, 0x0a, 0x0c, 0x0d, 0x20, 0x20],
  w: WORD,
  alnum: [...DIGIT, ...ALPHA],
  alpha: ALPHA,
  ascii: [0, 0x7f],
  blank: [0x09, 0x09, 0x20, 0x20],
  cntrl: [0, 0x1f, 0x7f, 0x7f],
  digit: DIGIT,
  graph: [0x21, 0x7e],
  lower: LOWER,
  print: [0x20, 0x7e],
  punct: [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e],
  space: [0x09, 0x0d, 0x20, 0x20],
  upper: UPPER,
  word: WORD,
  xdigit: [...DIGIT, 0x41, 0x46, 0x61, 0x66],
};

/** The code points that are not in the set. */
export function complement(set: CodePoints): CodePoints {
  const gaps: number[] = [];
  let from = 0;
  for (const [start, end] of sortedRanges(set)) {
    if (start > from) gaps.push(from, start - 1);
    from = Math.max(from, end + 1);
  }
  if (from <= MAX_CODE_POINT) gaps.push(from, MAX_CODE_POINT);
  return gaps;
}

/** Ranges of more code points than this are folded only below U+0600: Latin, Greek, Cyrillic and Armenian. */
const FOLDED_RANGE = 1024;

/** The set with the upper and lower case of each code point, by the simple mapping of one to one. */
export function foldCase(set: CodePoints): CodePoints {
  const folded = [...set];
  for (const [start, end] of sortedRanges(set)) {
    const last = end - start < FOLDED_RANGE ? end : Math.min(end, 0x5ff);
    for (let code = start; code <= last; code++) {
      const text = String.fromCodePoint(code);
      for (const other of [text.toLowerCase(), text.toUpperCase()]) {
        const mapped = other.codePointAt(0)!;
        if (mapped !== code && other.length === (mapped > 0xffff ? 2 : 1)) {
          folded.push(mapped, mapped);
        }
      }
    }
  }
  return folded;
}

/** Whether the set has a code point. */
export function includes(set: CodePoints, code: number): boolean {
  for (let i = 0; i < set.length; i += 2) {
    if (code >= set[i]! && code <= set[i + 1]!) return true;
  }
  return false;
}

function sortedRanges(set: CodePoints): [start: number, end: number][] {
  const ranges: [number, number][] = [];
  for (let i = 0; i < set.length; i += 2) ranges.push([set[i]!, set[i + 1]!]);
  return ranges.sort(([a], [b]) => a - b);
}
