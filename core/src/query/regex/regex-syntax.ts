// SPDX-License-Identifier: Apache-2.0
import { SpoorError, quote } from '#model/errors.ts';
import { complement, type CodePoints, foldCase, NAMED_CLASSES } from './code-points.ts';

/** Characters of a pattern; nobody types more, and it bounds what parsing costs. */
export const MAX_PATTERN_LENGTH = 1000;

/** Most times that something is repeated with `{n,m}`; RE2's own bound. */
const MAX_REPEAT = 1000;

/** A parsed regular expression. */
export type RegexNode =
  | { readonly kind: 'class'; readonly set: CodePoints }
  | { readonly kind: 'sequence' | 'choice'; readonly items: readonly RegexNode[] }
  | {
      readonly kind: 'repeat';
      readonly item: RegexNode;
      readonly min: number;
      /** Infinity without a bound. */
      readonly max: number;
    }
  | { readonly kind: 'assertion'; readonly assertion: Assertion };

/** Conditions on a place between two characters. */
export type Assertion =
  | 'textStart'
  | 'textEnd'
  | 'lineStart'
  | 'lineEnd'
  | 'wordBoundary'
  | 'notWordBoundary';

interface Flags {
  ignoreCase: boolean;
  dotAll: boolean;
  multiline: boolean;
}

/**
 * Parses the syntax of RE2 (and so of Go, Prometheus and Tempo), but without `\p{…}` classes, octal numbers and `\C`.
 * What RE2 refuses because it cannot be matched in linear time, back references and look-around, is refused.
 * @throws {SpoorError} invalid_argument
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function parseRegex(pattern: string): RegexNode {
  if (pattern.length > MAX_PATTERN_LENGTH) {
    throw new SpoorError(
      'invalid_argument',
      `pattern ${quote(pattern)} has ${pattern.length} characters, more than ${MAX_PATTERN_LENGTH}`,
    );
  }
  return new RegexParser(pattern).parse();
}

class RegexParser {
  readonly #pattern: string;
  readonly #chars: readonly string[];
  #at = 0;
  #flags: Flags = { ignoreCase: false, dotAll: false, multiline: false };

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#chars = Array.from(pattern);
  }

  parse(): RegexNode {
    const node = this.#choice();
    if (this.#at < this.#chars.length) this.#fail(`')' without '('`);
    return node;
  }

  #choice(): RegexNode {
    const items = [this.#sequence()];
    while (this.#take('|')) items.push(this.#sequence());
    return items.length === 1 ? items[0]! : { kind: 'choice', items };
  }

  #sequence(): RegexNode {
    const items: RegexNode[] = [];
    while (this.#at < this.#chars.length && this.#peek() !== '|' && this.#peek() !== ')') {
      const item = this.#atom();
      if (item !== undefined) items.push(this.#repeated(item));
    }
    return { kind: 'sequence', items };
  }

  #repeated(item: RegexNode): RegexNode {
    const bounds = this.#bounds();
    if (bounds === undefined) return item;
    // Lazy repetition finds another part first, but the same texts.
    this.#take('?');
    if (this.#bounds() !== undefined) this.#fail('a repetition of a repetition');
    return { kind: 'repeat', item, ...bounds };
  }

  #bounds(): { min: number; max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Infinity };
    if (this.#take('+')) return { min: 1, max: Infinity };
    if (this.#take('?')) return { min: 0, max: 1 };
    if (this.#peek() !== '{') return undefined;
    const rest = this.#chars.slice(this.#at, this.#at + 12).join('');
    const match = /^\{(\d{1,4})(,(\d{1,4})?)?\}/.exec(rest);
    // As in RE2, a brace that bounds nothing stands for itself.
    if (match === null) return undefined;
    this.#at += match[0].length;
    const min = Number(match[1]);
    const max = match[3] !== undefined ? Number(match[3]) : match[2] === undefined ? min : Infinity;
    if (min > MAX_REPEAT || (max !== Infinity && (max > MAX_REPEAT || max < min))) {
      this.#fail(`a repetition of ${match[0]} (at most ${MAX_REPEAT}, in ascending order)`);
    }
    return { min, max };
  }

  /** One unit; undefined for flags that stand alone. */
  #atom(): RegexNode | undefined {
    const char = this.#next();
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return this.#brackets();
      case '.':
        return { kind: 'class', set: complement(this.#flags.dotAll ? [] : [10, 10]) };
      case '^':
        return assertion(this.#flags.multiline ? 'lineStart' : 'textStart');
      case '$':
        return assertion(this.#flags.multiline ? 'lineEnd' : 'textEnd');
      case '*':
      case '+':
      case '?':
        return this.#fail(`'${char}' with nothing to repeat`);
      case '\\':
        return this.#escape();
      default:
        return this.#literal(char.codePointAt(0)!);
    }
  }

  #group(): RegexNode | undefined {
    const outer = { ...this.#flags };
    if (this.#take('?')) {
      if (this.#take('P') || this.#peek() === '<') {
        const name = /^<\w+>/.exec(this.#chars.slice(this.#at).join(''));
        if (name === null) this.#fail('look-around or a group with a bad name');
        this.#at += name[0].length;
      } else if (this.#flagList()) return undefined;
    }
    const node = this.#choice();
    if (!this.#take(')')) this.#fail(`'(' without ')'`);
    this.#flags = outer;
    return node;
  }

  /** Flags after `(?`, up to `:` or `)`. @returns true when they hold for what follows the parenthesis */
  #flagList(): boolean {
    let value = true;
    for (;;) {
      const char = this.#next();
      if (char === ':') return false;
      if (char === ')') return true;
      if (char === '-' && value) value = false;
      else if (char === 'i') this.#flags.ignoreCase = value;
      else if (char === 's') this.#flags.dotAll = value;
      else if (char === 'm') this.#flags.multiline = value;
      // U swaps greedy and lazy, which changes nothing here.
      else if (char !== 'U') this.#fail(`'(?' with ${quote(char)}; flags are i, m, s, U`);
    }
  }

  #escape(): RegexNode {
    const char = this.#next();
    if (char === 'A') return assertion('textStart');
    if (char === 'z') return assertion('textEnd');
    if (char === 'b') return assertion('wordBoundary');
    if (char === 'B') return assertion('notWordBoundary');
    if (char === 'Q') return this.#quotation();
    const set = namedClass(char);
    return set === undefined ? this.#literal(this.#escaped(char)) : { kind: 'class', set };
  }

  /** `\Q…\E`: everything up to `\E` or the end stands for itself. */
  #quotation(): RegexNode {
    const items: RegexNode[] = [];
    while (this.#at < this.#chars.length) {
      if (this.#peek() === '\\' && this.#chars[this.#at + 1] === 'E') {
        this.#at += 2;
        break;
      }
      items.push(this.#literal(this.#next().codePointAt(0)!));
    }
    return { kind: 'sequence', items };
  }

  /** Code point of an escape that stands for one character. */
  #escaped(char: string): number {
    const code = ESCAPES[char];
    if (code !== undefined) return code;
    if (char === 'x') {
      const rest = this.#chars.slice(this.#at, this.#at + 10).join('');
      const match = /^(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2}))/.exec(rest);
      const value = match === null ? Infinity : parseInt(match[1] ?? match[2]!, 16);
      if (match === null || value > 0x10ffff) this.#fail(`'\\x' without a code point`);
      this.#at += match[0].length;
      return value;
    }
    if (/^[A-Za-z0-9]$/.test(char)) this.#fail(`'\\${char}', which is not supported`);
    return char.codePointAt(0)!;
  }

  #brackets(): RegexNode {
    const negated = this.#take('^');
    const set: number[] = [];
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      if (this.#peek() === '[' && this.#chars[this.#at + 1] === ':') {
        set.push(...this.#posixClass());
        continue;
      }
      const from = this.#bracketItem();
      if (typeof from !== 'number') {
        set.push(...from);
        continue;
      }
      let to = from;
      const afterDash = this.#chars[this.#at + 1];
      if (this.#peek() === '-' && afterDash !== ']' && afterDash !== undefined) {
        this.#at++;
        const end = this.#bracketItem();
        if (typeof end !== 'number' || end < from) this.#fail('a range that is not ascending');
        to = end;
      }
      set.push(from, to);
    }
    this.#at++;
    const folded = this.#flags.ignoreCase ? foldCase(set) : set;
    return { kind: 'class', set: negated ? complement(folded) : folded };
  }

  #bracketItem(): number | CodePoints {
    const char = this.#next();
    if (char !== '\\') return char.codePointAt(0)!;
    const escaped = this.#next();
    return namedClass(escaped) ?? this.#escaped(escaped);
  }

  #posixClass(): CodePoints {
    const match = /^\[:(\^?)(\w+):\]/.exec(this.#chars.slice(this.#at, this.#at + 16).join(''));
    const set = match === null ? undefined : NAMED_CLASSES[match[2]!];
    if (match === null || set === undefined || match[2]!.length === 1) {
      return this.#fail(`'[:' without the name of a class`);
    }
    this.#at += match[0].length;
    return match[1] === '^' ? complement(set) : set;
  }

  #literal(code: number): RegexNode {
    const set = [code, code];
    return { kind: 'class', set: this.#flags.ignoreCase ? foldCase(set) : set };
  }

  #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #take(char: string): boolean {
    if (this.#chars[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #next(): string {
    const char = this.#chars[this.#at];
    if (char === undefined) return this.#fail('the end in the middle of something');
    this.#at++;
    return char;
  }

  #fail(what: string): never {
    throw new SpoorError(
      'invalid_argument',
      `pattern ${quote(this.#pattern)}: ${what} before character ${this.#at + 1}`,
    );
  }
}

const ESCAPES: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };

/** The class `\d`, `\D`, `\s`, `\S`, `\w` or `\W`. */
function namedClass(char: string): CodePoints | undefined {
  if (!'dDsSwW'.includes(char)) return undefined;
  const set = NAMED_CLASSES[char.toLowerCase()]!;
  return char === char.toLowerCase() ? set : complement(set);
}

function assertion(what: Assertion): RegexNode {
  return { kind: 'assertion', assertion: what };
}
