// SPDX-License-Identifier: Apache-2.0
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import {
  type CompiledPredicate,
  compilePredicate,
  selectRows,
} from '@spoor/core/query/predicate.ts';
import { containing } from '@spoor/core/query/regex/regex-finder.ts';
import { RowSet } from '@spoor/core/query/row-set.ts';
import type { QueryField, QueryLiteral, SpanPredicate } from '@spoor/core/query/trace-query.ts';
import {
  SPAN_KIND_NAMES,
  type SpanMatchConfig,
  STATUS_CODE_NAMES,
  type AttributeValueConfig,
} from '#config/span-match-config.ts';
import { configured } from './configured.ts';

/** A compiled predicate remembers what it found out about resources; after so many bytes of them it is compiled anew. */
const MAX_REMEMBERED_BYTES = 4 << 20;

/** `include` and `exclude` of a processor. */
export interface SpanMatchPair {
  readonly include?: SpanMatchConfig | undefined;
  readonly exclude?: SpanMatchConfig | undefined;
}

/** Finds the spans that a processor is about. */
export class SpanMatcher {
  readonly #predicate: SpanPredicate;
  #compiled: CompiledPredicate;
  #rememberedBytes = 0;

  /**
   * @param path of the section in the configuration
   * @throws {SpoorError} config: a pattern is not understood
   */
  constructor(path: string, predicate: SpanPredicate) {
    this.#predicate = predicate;
    this.#compiled = configured(path, () => compilePredicate(predicate));
  }

  /** The spans that are included, all by default, and not excluded. */
  static ofPair(path: string, { include, exclude }: SpanMatchPair): SpanMatcher {
    const args: SpanPredicate[] = [];
    const read = (key: string, match: SpanMatchConfig): SpanPredicate =>
      configured(`${path}.${key}`, () => predicateOf(match));
    if (include !== undefined) args.push(read('include', include));
    if (exclude !== undefined) args.push({ op: 'not', arg: read('exclude', exclude) });
    return new SpanMatcher(path, { op: 'and', args });
  }

  /** The rows that match. */
  select(batch: SpanBatch): RowSet {
    this.#rememberedBytes += batch.resources.bytes.length + batch.scopes.bytes.length;
    if (this.#rememberedBytes > MAX_REMEMBERED_BYTES) {
      this.#rememberedBytes = 0;
      this.#compiled = compilePredicate(this.#predicate);
    }
    return selectRows(this.#compiled, batch, undefined) ?? new RowSet(batch.rows);
  }
}

/**
 * What a section of the configuration asks of a span.
 * @throws {SpoorError} invalid_argument: a pattern is not understood
 */
function predicateOf(match: SpanMatchConfig): SpanPredicate {
  const isPattern = match.match_type === 'regexp';
  const args: SpanPredicate[] = [];
  const oneOf = (list: readonly SpanPredicate[] | undefined): void => {
    if (list !== undefined) args.push({ op: 'or', args: list });
  };
  const intrinsic = (name: 'service' | 'name' | 'kind' | 'status'): QueryField => ({
    kind: 'intrinsic',
    name,
  });
  const textOf = (field: QueryField, text: string): SpanPredicate =>
    isPattern
      ? { op: 'matches', field, pattern: containing(text) }
      : { op: 'eq', field, value: { type: 'string', value: text } };
  const numberOf = (field: QueryField, value: number): SpanPredicate => ({
    op: 'eq',
    field,
    value: { type: 'int', value: BigInt(value) },
  });
  oneOf(match.services?.map((name) => textOf(intrinsic('service'), name)));
  oneOf(match.span_names?.map((name) => textOf(intrinsic('name'), name)));
  oneOf(match.span_kinds?.map((kind) => numberOf(intrinsic('kind'), SPAN_KIND_NAMES[kind])));
  oneOf(match.status_codes?.map((code) => numberOf(intrinsic('status'), STATUS_CODE_NAMES[code])));
  for (const [scope, list] of [
    ['span', match.attributes],
    ['resource', match.resources],
  ] as const) {
    for (const { key, value } of list ?? []) {
      const field: QueryField = { kind: 'attribute', scope, key };
      if (value === undefined) args.push({ op: 'exists', field });
      else if (typeof value === 'string') args.push(textOf(field, value));
      else args.push({ op: 'eq', field, value: literalOf(value) });
    }
  }
  return { op: 'and', args };
}

function literalOf(value: AttributeValueConfig): QueryLiteral {
  if (typeof value === 'string') return { type: 'string', value };
  if (typeof value === 'boolean') return { type: 'bool', value };
  return Number.isSafeInteger(value)
    ? { type: 'int', value: BigInt(value) }
    : { type: 'double', value };
}
