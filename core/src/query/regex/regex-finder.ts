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
  readonly #ascii = new Uint16Array(128);
  /** 1 for each symbol that a match can begin with. */
  readonly #begins: Uint8Array;
  /** Generation in which a step was reached, at this character and as a target of the last one. */
  readonly #reached: Uint32Array;
  readonly #targeted: Uint32Array;
  #generation = 0;
  /** Steps that are reached, each with the earliest start that leads there, the earlier starts first; here and behind the character. */
  #here: Threads;
  #next: Threads;
  readonly #stack: Uint32Array;
  #looks = 0;
  #matchStart = 0;
  #matchEnd = 0;

  /** @throws {SpoorError} invalid_argument */
  constructor(pattern: string) {
    this.#program = compileRegex(parseRegex(pattern));
    this.#contains = new Regex(containing(pattern));
    const { steps, alphabet } = this.#program;
    for (let code = 0; code < 128; code++) this.#ascii[code] = symbolOf(alphabet, code);
    this.#reached = new Uint32Array(steps.length);
    this.#targeted = new Uint32Array(steps.length);
    // A step is gone on from once, to two others at most; one thread comes from each, and one begins.
    this.#stack = new Uint32Array(2 * steps.length + 1);
    this.#here = makeThreads(steps.length + 1);
    this.#next = makeThreads(steps.length + 1);
    this.#begins = this.#findBegins();
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
    const { alphabet } = this.#program;
    let found = false;
    let before = from === textStart ? Neighbor.none : this.#kindBefore(bytes, from);
    this.#here.count = 0;
    for (let place = from; ;) {
      const symbol = place === end ? -1 : this.#symbolAt(bytes, place);
      const after = symbol < 0 ? Neighbor.none : alphabet.kinds[symbol]!;
      // Nothing empty is a match, so where nothing can begin nothing is looked at.
      if (!found && symbol >= 0 && this.#begins[symbol] === 1) push(this.#here, 0, place);
      if (this.#here.count > 0) {
        found = this.#pass(place, symbol, before, after, found);
        if (found && this.#here.count === 0) return true;
      }
      if (place === end) return found;
      if (++this.#looks > mostLooks) {
        this.#matchStart = from;
        this.#matchEnd = end;
        return true;
      }
      before = after;
      place += sequenceLength(bytes[place]!);
    }
  }

  /**
   * Goes on with the threads over one character.
   * @param symbol of it; -1 at the end of the text
   * @returns whether there is a match, now or before
   */
  #pass(place: number, symbol: number, before: number, after: number, wasFound: boolean): boolean {
    const { steps } = this.#program;
    const reached = this.#reached;
    const targeted = this.#targeted;
    const stack = this.#stack;
    const generation = ++this.#generation;
    const here = this.#here;
    const next = this.#next;
    let found = wasFound;
    next.count = 0;
    for (let i = 0; i < here.count; i++) {
      const start = here.starts[i]!;
      if (found && start > this.#matchStart) break;
      stack[0] = here.steps[i]!;
      for (let depth = 1; depth > 0;) {
        const index = stack[--depth]!;
        if (reached[index] === generation) continue;
        reached[index] = generation;
        const step = steps[index]!;
        if (step.op === 'fork') {
          stack[depth++] = step.second;
          stack[depth++] = step.first;
        } else if (step.op === 'assert') {
          if (holds(step.assertion, before, after)) stack[depth++] = step.next;
        } else if (step.op === 'match') {
          if (place === start) continue;
          found = true;
          this.#matchStart = start;
          this.#matchEnd = place;
        } else if (
          symbol >= 0 &&
          step.symbols[symbol] === 1 &&
          targeted[step.next] !== generation
        ) {
          targeted[step.next] = generation;
          push(next, step.next, start);
        }
      }
    }
    this.#here = next;
    this.#next = here;
    return found;
  }

  /** The symbols that a first step consumes, whatever assertions are before it. */
  #findBegins(): Uint8Array {
    const { steps, alphabet } = this.#program;
    const begins = new Uint8Array(alphabet.starts.length);
    const seen = new Set([0]);
    for (const index of seen) {
      const step = steps[index]!;
      if (step.op === 'fork') seen.add(step.first).add(step.second);
      else if (step.op === 'assert') seen.add(step.next);
      else if (step.op === 'class') step.symbols.forEach((is, symbol) => (begins[symbol]! |= is));
    }
    return begins;
  }

  /** Kind of the character that ends before `at`. */
  #kindBefore(bytes: Uint8Array, at: number): number {
    let start = at - 1;
    while ((bytes[start]! & 0xc0) === 0x80) start--;
    return this.#program.alphabet.kinds[this.#symbolAt(bytes, start)]!;
  }

  #symbolAt(bytes: Uint8Array, at: number): number {
    const lead = bytes[at]!;
    if (lead < 0x80) return this.#ascii[lead]!;
    return symbolOf(this.#program.alphabet, codePoint(bytes, at, sequenceLength(lead)));
  }
}

/** Steps of an automaton, and where in the text each thread that is at one began. */
interface Threads {
  count: number;
  readonly steps: Uint32Array;
  readonly starts: Uint32Array;
}

function makeThreads(most: number): Threads {
  return { count: 0, steps: new Uint32Array(most), starts: new Uint32Array(most) };
}

function push(threads: Threads, step: number, start: number): void {
  threads.steps[threads.count] = step;
  threads.starts[threads.count++] = start;
}

/** Bytes of the UTF-8 sequence that begins so. */
function sequenceLength(lead: number): number {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}
