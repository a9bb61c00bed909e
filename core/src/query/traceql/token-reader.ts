// SPDX-License-Identifier: Apache-2.0
import { SpanKind, StatusCode } from '#model/span.ts';
import type { Token } from './token.ts';
import { tokenize } from './tokenize.ts';
import { named, traceqlError, unsupported } from './traceql-error.ts';
import type { TraceqlOperator, TraceqlValue } from './traceql-query.ts';

const COMPARISONS: readonly TraceqlOperator[] = ['=', '!=', '<', '<=', '>', '>=', '=~', '!~'];

/** Words that stand for a value. */
const CONSTANTS: ReadonlyMap<string, TraceqlValue> = new Map<string, TraceqlValue>([
  ['true', { type: 'bool', value: true }],
  ['false', { type: 'bool', value: false }],
  ['unset', { type: 'status', value: BigInt(StatusCode.unset) }],
  ['ok', { type: 'status', value: BigInt(StatusCode.ok) }],
  ['error', { type: 'status', value: BigInt(StatusCode.error) }],
  ['unspecified', { type: 'kind', value: BigInt(SpanKind.unspecified) }],
  ['internal', { type: 'kind', value: BigInt(SpanKind.internal) }],
  ['server', { type: 'kind', value: BigInt(SpanKind.server) }],
  ['client', { type: 'kind', value: BigInt(SpanKind.client) }],
  ['producer', { type: 'kind', value: BigInt(SpanKind.producer) }],
  ['consumer', { type: 'kind', value: BigInt(SpanKind.consumer) }],
]);

/** The tokens of a query, one after the other, and what is said of the one that should be another. */
export class TokenReader {
  readonly query: string;
  readonly #tokens: readonly Token[];
  #index = 0;

  /** @throws {SpoorError} invalid_argument */
  constructor(query: string) {
    this.query = query;
    this.#tokens = tokenize(query);
  }

  get current(): Token {
    return this.#tokens[this.#index]!;
  }

  /** Goes on; behind the end there is nothing. */
  next(): void {
    if (this.#index < this.#tokens.length - 1) this.#index++;
  }

  isSign(sign: string): boolean {
    return this.current.kind === 'sign' && this.current.text === sign;
  }

  /**
   * Goes past a sign.
   * @param expected what the message says was expected
   * @throws {SpoorError} invalid_argument: there is another token
   */
  take(sign: string, expected: string): void {
    if (!this.isSign(sign)) this.fail(expected);
    this.next();
  }

  /** The comparison that comes, or undefined. */
  comparison(): TraceqlOperator | undefined {
    const { kind, text } = this.current;
    return kind === 'sign' ? COMPARISONS.find((one) => one === text) : undefined;
  }

  /**
   * Goes past a value, with its minus.
   * @returns undefined when something else comes
   * @throws {SpoorError} invalid_argument: after a minus comes no number
   */
  literal(): TraceqlValue | undefined {
    const isNegative = this.isSign('-');
    if (isNegative) this.next();
    const { current } = this;
    const value = current.kind === 'value' ? current.value : this.#constant();
    const signed = isNegative ? negated(value) : value;
    if (signed !== undefined) this.next();
    else if (isNegative) this.fail('a number after the minus');
    return signed;
  }

  #constant(): TraceqlValue | undefined {
    const { kind, text } = this.current;
    return kind === 'word' ? CONSTANTS.get(text) : undefined;
  }

  /** @throws {SpoorError} invalid_argument: something is calculated here */
  refuseArithmetic(): void {
    if (this.current.kind === 'sign' && /^[+\-*/%^]$/.test(this.current.text)) {
      this.failUnsupported('arithmetic is');
    }
  }

  /** @throws {SpoorError} invalid_argument, always: another token was expected */
  fail(expected: string): never {
    const { at, text } = this.current;
    throw traceqlError(this.query, at, `expected ${expected}, found ${named(text)}`);
  }

  /** @throws {SpoorError} invalid_argument, always: what begins here is TraceQL, but not supported */
  failUnsupported(what: string): never {
    throw unsupported(this.query, this.current.at, what);
  }
}

/** The number with the other sign; undefined where it is none. */
function negated(value: TraceqlValue | undefined): TraceqlValue | undefined {
  if (value?.type === 'int' || value?.type === 'duration') return { ...value, value: -value.value };
  return value?.type === 'float' ? { ...value, value: -value.value } : undefined;
}
