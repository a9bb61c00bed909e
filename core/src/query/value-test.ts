// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '#model/attributes.ts';
import { equalBytes } from '#model/symbol-interner.ts';
import { getUint32 } from '#model/uint32.ts';
import { encodeText } from '#model/utf8.ts';
import { ProtoReader } from '#wire/protobuf/reader.ts';
import { type ComparisonOp, Int64Range } from './int64-range.ts';
import type { RegexBudget } from './regex/regex-budget.ts';
import { Regex } from './regex/regex.ts';
import type { QueryLiteral } from './trace-query.ts';

/**
 * A condition on one value of canonical bytes (see `ValueType`): that it is there, that it compares to
 * a literal, or that it matches a pattern. The rules are those of `SpanPredicate`.
 *
 * Like all parts of a compiled predicate an instance serves one evaluation at a time.
 */
export class ValueTest {
  readonly #op: ComparisonOp | 'exists' | 'matches';
  readonly #text: Uint8Array | undefined;
  readonly #number: bigint | number | undefined;
  readonly #range: Int64Range | undefined;
  readonly #bool: boolean | undefined;
  readonly #regex: Regex | undefined;
  readonly #reader = new ProtoReader('value');
  readonly #scratch = new DataView(new ArrayBuffer(8));

  private constructor(
    op: ComparisonOp | 'exists' | 'matches',
    literal: Operands = {},
    regex?: Regex,
  ) {
    this.#op = op;
    this.#text = literal.text === undefined ? undefined : encodeText(literal.text);
    this.#number = literal.number;
    if (literal.number !== undefined && op !== 'exists' && op !== 'matches') {
      this.#range = Int64Range.of(op, literal.number);
    }
    this.#bool = literal.bool;
    this.#regex = regex;
  }

  /** Every value. */
  static exists(): ValueTest {
    return new ValueTest('exists');
  }

  static comparing(op: ComparisonOp, literal: QueryLiteral): ValueTest {
    return new ValueTest(op, operands(op, literal));
  }

  /**
   * @param budget that of all patterns of the query
   * @throws {SpoorError} invalid_argument
   */
  static matching(pattern: string, budget: RegexBudget): ValueTest {
    return new ValueTest('matches', {}, new Regex(pattern, budget));
  }

  /** Whether every value passes. */
  get passesAll(): boolean {
    return this.#op === 'exists';
  }

  /** The integers that pass; undefined when none does. Of no meaning when every value passes. */
  get range(): Int64Range | undefined {
    return this.#range;
  }

  /** Whether a value of this type may pass; where not, its bytes need not be looked at. */
  mayPass(type: ValueType): boolean {
    switch (type) {
      case ValueType.string:
        return this.#op === 'exists' || this.#text !== undefined || this.#regex !== undefined;
      case ValueType.bool:
        return this.#op === 'exists' || this.#bool !== undefined;
      case ValueType.int:
        return this.#op === 'exists' || this.#range !== undefined;
      case ValueType.double:
        return this.#op === 'exists' || this.#number !== undefined;
      case ValueType.array:
        return true;
      default:
        return this.#op === 'exists';
    }
  }

  /** The bytes of the only string that passes; undefined where several may. */
  get onlyText(): Uint8Array | undefined {
    return this.#op === 'eq' ? this.#text : undefined;
  }

  /** Bytes that every value that passes has in it; undefined where none are certain. */
  get requiredText(): Uint8Array | undefined {
    return this.#regex?.requiredText;
  }

  /** As {@link Regex.requiredParts}; undefined where nothing is known of values that pass. */
  get requiredParts(): readonly Uint8Array[] | undefined {
    return this.#regex?.requiredParts;
  }

  /** Whether the value of type `type` in `bytes[start, end)` passes. An array does when one of its elements does. */
  passes(type: ValueType, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#op === 'exists') return true;
    switch (type) {
      case ValueType.string:
        return this.passesText(bytes, start, end);
      case ValueType.bool:
        return this.#passesBool(bytes[start] === 1);
      case ValueType.int:
        return (
          this.#range !== undefined &&
          this.#range.has(getUint32(bytes, start), getUint32(bytes, start + 4))
        );
      case ValueType.double:
        return this.#passesDouble(bytes, start);
      case ValueType.array: {
        const reader = this.#reader;
        reader.bytes = bytes;
        reader.position = start;
        while (reader.position < end) {
          reader.tag(end);
          const elementEnd = reader.length(end) + reader.position;
          if (this.passesMessage(reader, elementEnd, false)) return true;
          reader.position = elementEnd;
        }
        return false;
      }
      default:
        return false;
    }
  }

  /** Whether a text passes. */
  passesText(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#op === 'exists') return true;
    if (this.#regex !== undefined) return this.#regex.matches(bytes, start, end);
    const text = this.#text;
    if (text === undefined) return false;
    if (this.#op === 'eq') {
      return text.length === end - start && equalBytes(text, 0, bytes, start, text.length);
    }
    return this.#holds(compareBytes(bytes, start, end, text));
  }

  /**
   * Whether the canonical `AnyValue` in `[reader.position, end)` passes.
   * @param list whether the elements of an array count
   */
  passesMessage(reader: ProtoReader, end: number, list = true): boolean {
    if (this.#op === 'exists') return true;
    if (reader.position === end) return false;
    const { bytes } = reader;
    // The numbers of the fields are those of the types.
    const type = (reader.tag(end) >>> 3) as ValueType;
    switch (type) {
      case ValueType.bool:
        return this.#passesBool(reader.varint32(end) !== 0);
      case ValueType.int:
        reader.varint64(end);
        return this.#range !== undefined && this.#range.has(reader.lo, reader.hi);
      case ValueType.double:
        return this.#passesDouble(bytes, reader.position);
      case ValueType.string:
      case ValueType.array: {
        const length = reader.length(end);
        if (type === ValueType.array && !list) return false;
        return this.passes(type, bytes, reader.position, reader.position + length);
      }
      default:
        return false;
    }
  }

  #passesBool(value: boolean): boolean {
    return this.#op === 'eq' && this.#bool === value;
  }

  #passesDouble(bytes: Uint8Array, start: number): boolean {
    const number = this.#number;
    if (number === undefined) return false;
    this.#scratch.setUint32(0, getUint32(bytes, start), true);
    this.#scratch.setUint32(4, getUint32(bytes, start + 4), true);
    const value = this.#scratch.getFloat64(0, true);
    if (Number.isNaN(value) || Number.isNaN(number)) {
      // Unlike in IEEE 754, so that these values can be found.
      return Number.isNaN(value) && Number.isNaN(number) && this.#holds(0);
    }
    // JavaScript compares numbers with bigints exactly.
    return this.#holds(value < number ? -1 : value > number ? 1 : 0);
  }

  #holds(order: number): boolean {
    switch (this.#op) {
      case 'eq':
        return order === 0;
      case 'lt':
        return order < 0;
      case 'le':
        return order <= 0;
      case 'gt':
        return order > 0;
      default:
        return order >= 0;
    }
  }
}

/** What a literal is worth among numbers; undefined when it is none. */
export function literalNumber(literal: QueryLiteral): bigint | number | undefined {
  return operands('eq', literal).number;
}

/** Whether a value that equals a literal is a string, or an array with one: a text may be meant as something else as well. */
export function isOnlyText(literal: QueryLiteral): boolean {
  const { text, number, bool } = operands('eq', literal);
  return text !== undefined && number === undefined && bool === undefined;
}

/** What a literal compares as; a text may be several things. */
interface Operands {
  readonly text?: string;
  readonly number?: bigint | number;
  readonly bool?: boolean;
}

function operands(op: ComparisonOp, literal: QueryLiteral): Operands {
  switch (literal.type) {
    case 'string':
      return { text: literal.value };
    case 'int':
    case 'double':
      return { number: literal.value };
    case 'bool':
      return { bool: literal.value };
    case 'text': {
      const text = literal.value;
      const number = parseNumber(text);
      if (number === undefined) {
        return text === 'true' || text === 'false' ? { text, bool: text === 'true' } : { text };
      }
      // Greater than "400" asks for numbers: as texts "9" and "x" would be greater.
      return op === 'eq' ? { text, number } : { number };
    }
  }
}

/** Digits of the longest integer that is read exactly; those of 64 bits have 19. */
const MAX_DIGITS = 40;

/** The number that a text is, as JSON writes numbers, or `NaN`, `Infinity` and `-Infinity`. */
function parseNumber(text: string): bigint | number | undefined {
  if (/^-?\d+$/.test(text) && text.length <= MAX_DIGITS) return BigInt(text);
  if (/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return Number(text);
  return /^(NaN|-?Infinity)$/.test(text) ? Number(text) : undefined;
}

/** Order of two texts by code point, which is that of their UTF-8 bytes. */
function compareBytes(bytes: Uint8Array, start: number, end: number, other: Uint8Array): number {
  const shared = Math.min(end - start, other.length);
  for (let i = 0; i < shared; i++) {
    const difference = bytes[start + i]! - other[i]!;
    if (difference !== 0) return difference;
  }
  return end - start - other.length;
}
