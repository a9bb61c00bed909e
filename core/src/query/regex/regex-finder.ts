// SPDX-License-Identifier: Apache-2.0
import { codePoint, holds, Regex } from './regex.ts';
import { Neighbor, type RegexProgram, compileRegex, symbolOf } from './regex-program.ts';
import { parseRegex } from './regex-syntax.ts';

/** What makes a pattern one that a whole text matches when a part of it does. */
const BEFORE = '(?s:.*)(?:';
const AFTER = ')(?s:.*)';

/**
 * The pattern that a whole text matches when a part of it matches `pattern`.
 * @throws {SpoorError} invalid_argument
 */
export function containing(pattern: string): string {
  // With something around it a pattern such as `)(` would be one.
  parseRegex(pattern);
  return BEFORE + pattern + AFTER;
}

/**
 * Characters that are looked at for each character of a text. After a match the search begins anew behind it, though it
 * may have looked far ahead; a hostile text could make that quadratic.
 */
const MAX_LOOKS = 16;

/**
 * Finds the parts of a text that match a pattern, in the syntax of {@link Regex}. Of several matches the one that begins first is
 * taken, and of those the longest; nothing empty is a match. Linear in the text, whatever the pattern: where too much would have to
 * be looked at again, the rest of the text counts as one match.
 */
export class RegexFinder {
  readonly #program: RegexProgram;
  readonly #contains: Regex;
  /** Generation in which a step was reached, at this character and as a target of the last one. */
  readonly #reached: Uint32Array;
  readonly #targeted: Uint32Array;
  #generation = 0;
  #looks = 0;
  #matchStart = 0;
  #matchEnd = 0;

  /** @throws {SpoorError} invalid_argument */
  constructor(pattern: string) {
    this.#program = compileRegex(parseRegex(pattern));
    this.#contains = new Regex(containing(pattern));
    this.#reached = new Uint32Array(this.#program.steps.length);
    this.#targeted = new Uint32Array(this.#program.steps.length);
  }

  /** Whether a part of `bytes[start, end)`, which must be UTF-8, matches, be it an empty one. */
  isIn(bytes: Uint8Array, start: number, end: number): boolean {
    return this.#contains.matches(bytes, start, end);
  }

  /** The parts of `bytes[start, end)`, UTF-8, that match: start and end of each, ascending. */
  findAll(bytes: Uint8Array, start: number, end: number): number[] {
    const ranges: number[] = [];
    if (!this.isIn(bytes, start, end)) return ranges;
    const mostLooks = MAX_LOOKS * (end - start);
    this.#looks = 0;
    let from = start;
    while (from < end && this.#find(bytes, start, from, end, mostLooks)) {
      ranges.push(this.#matchStart, this.#matchEnd);
      from = this.#matchEnd;
    }
    return ranges;
  }

  /** Sets the match to the first one from `from` on; false when there is none. */
  #find(
    bytes: Uint8Array,
    textStart: number,
    from: number,
    end: number,
    mostLooks: number,
  ): boolean {
    const { steps, alphabet } = this.#program;
    let found = false;
    // Steps that are reached here, each with the earliest start that leads there, the earlier starts first.
    let at: number[] = [];
    let starts: number[] = [];
    let before = from === textStart ? Neighbor.none : this.#kindBefore(bytes, from);
    for (let place = from; ;) {
      if (!found) {
        at.push(0);
        starts.push(place);
      }
      const symbolEnd = place === end ? end : place + sequenceLength(bytes[place]!);
      const symbol = place === end ? -1 : symbolOf(alphabet, codePointAt(bytes, place));
      const after = symbol < 0 ? Neighbor.none : alphabet.kinds[symbol]!;
      const generation = ++this.#generation;
      const nextAt: number[] = [];
      const nextStarts: number[] = [];
      for (let i = 0; i < at.length; i++) {
        const start = starts[i]!;
        if (found && start > this.#matchStart) break;
        const stack = [at[i]!];
        while (stack.length > 0) {
          const index = stack.pop()!;
          if (this.#reached[index] === generation) continue;
          this.#reached[index] = generation;
          const step = steps[index]!;
          if (step.op === 'fork') stack.push(step.second, step.first);
          else if (step.op === 'assert') {
            if (holds(step.assertion, before, after)) stack.push(step.next);
          } else if (step.op === 'match') {
            if (place === start) continue;
            found = true;
            this.#matchStart = start;
            this.#matchEnd = place;
          } else if (
            symbol >= 0 &&
            step.symbols[symbol] === 1 &&
            this.#targeted[step.next] !== generation
          ) {
            this.#targeted[step.next] = generation;
            nextAt.push(step.next);
            nextStarts.push(start);
          }
        }
      }
      if (place === end || (found && nextAt.length === 0)) return found;
      if (++this.#looks > mostLooks) {
        this.#matchStart = from;
        this.#matchEnd = end;
        return true;
      }
      at = nextAt;
      starts = nextStarts;
      before = after;
      place = symbolEnd;
    }
  }

  /** Kind of the character that ends before `at`. */
  #kindBefore(bytes: Uint8Array, at: number): number {
    let start = at - 1;
    while ((bytes[start]! & 0xc0) === 0x80) start--;
    const { alphabet } = this.#program;
    return alphabet.kinds[symbolOf(alphabet, codePointAt(bytes, start))]!;
  }
}

/** Bytes of the UTF-8 sequence that begins so. */
function sequenceLength(lead: number): number {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

function codePointAt(bytes: Uint8Array, at: number): number {
  const length = sequenceLength(bytes[at]!);
  return length === 1 ? bytes[at]! : codePoint(bytes, at, length);
}
