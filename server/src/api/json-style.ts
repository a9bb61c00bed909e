// SPDX-License-Identifier: Apache-2.0

/** Spaces of one level, as in Jaeger's `prettyPrint`. */
const INDENT = 4;

/** Writes JSON in pieces, on one line or indented, so that a long answer is never one object. */
export class JsonStyle {
  /** Whether it is indented. */
  readonly isPretty: boolean;

  constructor(isPretty: boolean) {
    this.isPretty = isPretty;
  }

  /** The style that `prettyPrint` asks for: any value but `false` and nothing. */
  static of(params: URLSearchParams): JsonStyle {
    const text = params.get('prettyPrint') ?? '';
    return new JsonStyle(text !== '' && text !== 'false');
  }

  /** A whole value that stands at `depth`. */
  value(value: unknown, depth = 0): string {
    if (!this.isPretty) return JSON.stringify(value);
    // Line ends inside of strings are escaped, so these are all between values.
    return JSON.stringify(value, null, INDENT).replaceAll('\n', this.line(depth));
  }

  /** `"name":` */
  name(name: string): string {
    return `${JSON.stringify(name)}:${this.isPretty ? ' ' : ''}`;
  }

  /** What stands before an entry at `depth`, or before the bracket that closes the level below. */
  line(depth: number): string {
    return this.isPretty ? `\n${' '.repeat(INDENT * depth)}` : '';
  }

  /** `,` between entries and nothing before the first, then a new line. */
  next(first: boolean, depth: number): string {
    return (first ? '' : ',') + this.line(depth);
  }
}
