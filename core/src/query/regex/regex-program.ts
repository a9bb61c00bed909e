// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '#model/errors.ts';
import { type CodePoints, includes, NAMED_CLASSES } from './code-points.ts';
import type { Assertion, RegexNode } from './regex-syntax.ts';

/**
 * Steps of a program. Matching costs at most this many operations a character, so it bounds what one
 * pattern such as `((a{100}){100}){100}` can ask for.
 */
export const MAX_PROGRAM_STEPS = 10_000;

/** Goes on at two steps, or twice at the same. */
interface Fork {
  readonly op: 'fork';
  first: number;
  second: number;
}

/** One step of a nondeterministic automaton; targets are indexes of steps. */
export type Step =
  | Fork
  /** Consumes a symbol `s` with `symbols[s] === 1`. */
  | { readonly op: 'class'; readonly symbols: Uint8Array; readonly next: number }
  | { readonly op: 'assert'; readonly assertion: Assertion; readonly next: number }
  | { readonly op: 'match' };

/** Code points that no class of the program tells apart are one **symbol**, a number from 0. */
export interface Alphabet {
  /** First code point of each stretch of one symbol, ascending, from 0. */
  readonly starts: Uint32Array;
  /** Kind of the characters of each symbol. */
  readonly kinds: Uint8Array;
}

/** What stands beside a place in the text; only assertions look at it. */
export const Neighbor = { none: 0, newline: 1, word: 2, other: 3 } as const;

/** A compiled regular expression; it begins at step 0. */
export interface RegexProgram {
  readonly steps: readonly Step[];
  readonly alphabet: Alphabet;
  readonly hasAssertions: boolean;
}

/**
 * Compiles a parsed expression.
 * @throws {SpoorError} invalid_argument when it is larger than {@link MAX_PROGRAM_STEPS}
 */
export function compileRegex(root: RegexNode): RegexProgram {
  const starts = new Set([0]);
  for (const set of [NAMED_CLASSES['w']!, [10, 10]]) addStarts(starts, set);
  collectStarts(root, starts);
  const alphabet = makeAlphabet(starts);
  const steps: Step[] = [];
  const symbols = new Map<CodePoints, Uint8Array>();
  let hasAssertions = false;
  let work = 0;

  const count = (): void => {
    if (++work <= MAX_PROGRAM_STEPS) return;
    throw new SpoorError(
      'invalid_argument',
      `a pattern takes more than ${MAX_PROGRAM_STEPS} steps when its repetitions are written out`,
    );
  };
  const emit = (step: Step): void => {
    count();
    steps.push(step);
  };

  const fork = (): Fork => {
    const step: Fork = { op: 'fork', first: steps.length + 1, second: 0 };
    emit(step);
    return step;
  };

  /** Appends the steps of a node; what follows them is appended next. */
  const compile = (node: RegexNode): void => {
    switch (node.kind) {
      case 'class': {
        let set = symbols.get(node.set);
        if (set === undefined) symbols.set(node.set, (set = symbolsOf(node.set, alphabet)));
        emit({ op: 'class', symbols: set, next: steps.length + 1 });
        return;
      }
      case 'assertion':
        hasAssertions = true;
        emit({ op: 'assert', assertion: node.assertion, next: steps.length + 1 });
        return;
      case 'sequence':
        for (const item of node.items) compile(item);
        return;
      case 'choice':
        compileChoice(node.items);
        return;
      case 'repeat':
        compileRepeat(node.item, node.min, node.max);
    }
  };

  const compileChoice = (items: readonly RegexNode[]): void => {
    const exits: Fork[] = [];
    items.forEach((item, i) => {
      if (i === items.length - 1) {
        compile(item);
        return;
      }
      const start = fork();
      compile(item);
      exits.push(fork());
      start.second = steps.length;
    });
    for (const exit of exits) exit.first = exit.second = steps.length;
  };

  const compileRepeat = (item: RegexNode, min: number, max: number): void => {
    for (let i = 0; i < min; i++) {
      // Nothing, repeated a million times, appends no step; it is work all the same.
      count();
      compile(item);
    }
    if (max === Infinity) {
      const at = steps.length;
      const start = fork();
      compile(item);
      const back = fork();
      back.first = back.second = at;
      start.second = steps.length;
      return;
    }
    const starts: Fork[] = [];
    for (let i = min; i < max; i++) {
      starts.push(fork());
      compile(item);
    }
    for (const start of starts) start.second = steps.length;
  };

  compile(root);
  emit({ op: 'match' });
  return { steps, alphabet, hasAssertions };
}

/** Number of the symbol of a code point. */
export function symbolOf({ starts }: Alphabet, code: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (starts[middle]! <= code) low = middle;
    else high = middle;
  }
  return low;
}

function collectStarts(node: RegexNode, starts: Set<number>): void {
  if (node.kind === 'class') addStarts(starts, node.set);
  else if (node.kind === 'repeat') collectStarts(node.item, starts);
  else if (node.kind !== 'assertion') for (const item of node.items) collectStarts(item, starts);
}

function addStarts(starts: Set<number>, set: CodePoints): void {
  for (let i = 0; i < set.length; i += 2) starts.add(set[i]!).add(set[i + 1]! + 1);
}

function makeAlphabet(points: ReadonlySet<number>): Alphabet {
  const starts = Uint32Array.from(points).sort();
  const word = NAMED_CLASSES['w']!;
  const kinds = Uint8Array.from(starts, (code) => {
    if (code === 10) return Neighbor.newline;
    return includes(word, code) ? Neighbor.word : Neighbor.other;
  });
  return { starts, kinds };
}

/** 1 for each symbol that is in the set. */
function symbolsOf(set: CodePoints, alphabet: Alphabet): Uint8Array {
  const symbols = new Uint8Array(alphabet.starts.length);
  for (let i = 0; i < set.length; i += 2) {
    // A range begins and ends where symbols do.
    const end = symbolOf(alphabet, set[i + 1]!) + 1;
    symbols.fill(1, symbolOf(alphabet, set[i]!), end);
  }
  return symbols;
}
