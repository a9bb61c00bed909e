// SPDX-License-Identifier: Apache-2.0
import { RegexBudget } from './regex-budget.ts';
import { Neighbor, type RegexProgram, compileRegex, symbolOf } from './regex-program.ts';
import { type Assertion, parseRegex } from './regex-syntax.ts';
import { requiredParts, requiredText } from './required-text.ts';

/** What a state takes beside its transitions, and each step in its list and in its key. */
const STATE_BYTES = 256;
const STEP_BYTES = 16;
const TRANSITION_BYTES = 4;

/** The state from which nothing matches. */
const DEAD = 0;
const UNKNOWN = -1;

/** A state of the deterministic automaton. */
interface State {
  readonly steps: readonly number[];
  readonly before: number;
  /** Whether the text may end here; undefined when that was not asked yet. */
  accepts: boolean | undefined;
}

/**
 * A regular expression that a whole text must match, in the syntax of RE2 (see `parseRegex`).
 *
 * It works on UTF-8 without decoding it, and in time linear in the text whatever the pattern: patterns come from users,
 * and one that a backtracking matcher such as JavaScript's needs years for would stop the whole server. It is a
 * deterministic automaton of which each state is made when a text first leads there, and forgotten when its budget has no room.
 */
export class Regex {
  /** Bytes that every text that matches has in it; undefined where none are certain. */
  readonly requiredText: Uint8Array | undefined;
  /** Runs of bytes that every text that matches has in it; letters of ASCII may be small or capital there. */
  readonly requiredParts: readonly Uint8Array[];
  readonly #budget: RegexBudget;
  readonly #program: RegexProgram;
  readonly #ascii = new Uint16Array(128);
  readonly #symbols: number;
  /** The next state, at state plus symbol: states are multiples of the number of symbols. The second one is the first of a text. */
  #next = new Int32Array(0);
  /** In the order of their making: steps that the automaton may be at, and what the character before was. */
  #states: State[] = [];
  #stateOf = new Map<string, number>();
  readonly #mark: Uint32Array;
  #generation = 0;
  /** How often all was forgotten. */
  #epoch = 0;

  /**
   * @param budget that of the query, where it has several patterns
   * @throws {SpoorError} invalid_argument
   */
  constructor(pattern: string, budget = new RegexBudget()) {
    const root = parseRegex(pattern);
    this.requiredText = requiredText(root);
    this.requiredParts = requiredParts(root);
    this.#program = compileRegex(root);
    const { alphabet, steps } = this.#program;
    budget.add(steps.length, () => this.#forget());
    this.#budget = budget;
    this.#symbols = alphabet.starts.length;
    for (let code = 0; code < 128; code++) this.#ascii[code] = symbolOf(alphabet, code);
    this.#mark = new Uint32Array(steps.length);
    this.#forget();
  }

  /** Whether all of `bytes[start, end)`, which must be UTF-8, matches. What the checkpoint of the budget throws ends the work. */
  matches(bytes: Uint8Array, start: number, end: number): boolean {
    this.#budget.work(end - start);
    const ascii = this.#ascii;
    const symbols = this.#symbols;
    let next = this.#next;
    let state = symbols;
    for (let at = start; at < end;) {
      const lead = bytes[at]!;
      let symbol: number;
      if (lead < 0x80) {
        symbol = ascii[lead]!;
        at++;
      } else {
        const size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        symbol = symbolOf(this.#program.alphabet, codePoint(bytes, at, size));
        at += size;
      }
      let target = next[state + symbol]!;
      if (target === UNKNOWN) {
        target = this.#step(state, symbol);
        next = this.#next;
      }
      if (target === DEAD) return false;
      state = target;
    }
    const last = this.#states[state / symbols]!;
    if (last.accepts === undefined) {
      const reached = this.#reach(last, Neighbor.none);
      last.accepts = reached.some((step) => this.#program.steps[step]!.op === 'match');
    }
    return last.accepts;
  }

  /** Finds the state after a symbol, and remembers it. */
  #step(state: number, symbol: number): number {
    const { steps, alphabet, hasAssertions } = this.#program;
    const kind = alphabet.kinds[symbol]!;
    const targets = new Set<number>();
    for (const at of this.#reach(this.#states[state / this.#symbols]!, kind)) {
      const step = steps[at]!;
      if (step.op === 'class' && step.symbols[symbol] === 1) targets.add(step.next);
    }
    if (targets.size === 0) {
      this.#next[state + symbol] = DEAD;
      return DEAD;
    }
    const epoch = this.#epoch;
    const target = this.#state(
      [...targets].sort((a, b) => a - b),
      hasAssertions ? kind : Neighbor.other,
    );
    // When all was forgotten to make room, the state we came from is gone too.
    if (epoch === this.#epoch) this.#next[state + symbol] = target;
    return target;
  }

  /** The steps that consume a character or match, as they can be reached without one. */
  #reach({ steps: from, before }: State, after: number): number[] {
    const { steps } = this.#program;
    const mark = this.#mark;
    const generation = ++this.#generation;
    const stack = [...from];
    const reached: number[] = [];
    let looks = 0;
    while (stack.length > 0) {
      const at = stack.pop()!;
      looks++;
      if (mark[at] === generation) continue;
      mark[at] = generation;
      const step = steps[at]!;
      if (step.op === 'fork') stack.push(step.first, step.second);
      else if (step.op !== 'assert') reached.push(at);
      else if (holds(step.assertion, before, after)) stack.push(step.next);
    }
    this.#budget.work(looks);
    return reached;
  }

  #state(steps: readonly number[], before: number): number {
    const key = keyOf({ steps, before });
    const known = this.#stateOf.get(key);
    if (known !== undefined) return known;
    // All may be forgotten here but the first two, which this is none of.
    this.#budget.remember(
      STATE_BYTES + STEP_BYTES * steps.length + TRANSITION_BYTES * this.#symbols,
    );
    return this.#remember({ steps, before, accepts: undefined }, key);
  }

  #remember(added: State, key = keyOf(added)): number {
    const state = this.#states.length * this.#symbols;
    this.#states.push(added);
    this.#stateOf.set(key, state);
    const needed = state + this.#symbols;
    if (needed > this.#next.length) {
      const grown = new Int32Array(Math.max(needed, this.#next.length * 2)).fill(UNKNOWN);
      grown.set(this.#next);
      this.#next = grown;
    }
    return state;
  }

  /** Goes back to the first two states. */
  #forget(): void {
    this.#epoch++;
    this.#next = new Int32Array(0);
    this.#states = [];
    this.#stateOf = new Map();
    this.#remember({ steps: [], before: Neighbor.none, accepts: undefined });
    const before = this.#program.hasAssertions ? Neighbor.none : Neighbor.other;
    this.#remember({ steps: [0], before, accepts: undefined });
  }
}

function keyOf({ steps, before }: Pick<State, 'steps' | 'before'>): string {
  return `${before}:${steps.join()}`;
}

/** Whether an assertion holds between two characters of these kinds, see `Neighbor`. */
export function holds(assertion: Assertion, before: number, after: number): boolean {
  switch (assertion) {
    case 'textStart':
      return before === Neighbor.none;
    case 'textEnd':
      return after === Neighbor.none;
    case 'lineStart':
      return before === Neighbor.none || before === Neighbor.newline;
    case 'lineEnd':
      return after === Neighbor.none || after === Neighbor.newline;
    case 'wordBoundary':
      return (before === Neighbor.word) !== (after === Neighbor.word);
    case 'notWordBoundary':
      return (before === Neighbor.word) === (after === Neighbor.word);
  }
}

/** The code point of a UTF-8 sequence of 2 to 4 bytes. */
export function codePoint(bytes: Uint8Array, at: number, size: number): number {
  let code = bytes[at]! & (0xff >>> (size + 1));
  for (let i = 1; i < size; i++) code = (code << 6) | (bytes[at + i]! & 0x3f);
  return code;
}
