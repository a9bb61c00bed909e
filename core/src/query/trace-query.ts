// SPDX-License-Identifier: Apache-2.0
import type { SpanId, TraceId } from '#model/ids.ts';

/**
 * What a comparison looks at: a list of values, most often of one.
 *
 * - `intrinsic`: every span has exactly one value of each. `service` is the text of the resource's last `service.name`,
 *   and the empty text where that is missing or no text; `kind` and `status` are the numbers of the OTLP enums, 0 where
 *   nothing was sent; `duration` is end minus start in ns, negative where a span ends before it starts.
 * - `attribute`: the values of the attributes with this key; a key may be there several times. An array stands for its
 *   elements (not for those of arrays inside). Scope `any` are the attributes of the span, its resource, its
 *   instrumentation scope and its events, but not of its links.
 */
export type QueryField =
  | {
      readonly kind: 'intrinsic';
      readonly name: 'service' | 'name' | 'kind' | 'status' | 'duration';
    }
  | {
      readonly kind: 'attribute';
      readonly scope: 'any' | 'span' | 'resource' | 'instrumentation' | 'event' | 'link';
      readonly key: string;
    };

/**
 * A value to compare with.
 *
 * - `string` compares with strings, by code point; `bool` equals booleans, which have no order.
 * - `int` and `double` compare with integers and doubles alike, by what they are worth, exactly: 1 equals 1.0, and
 *   2^53 + 1 is greater than the double 2^53. NaN equals NaN and is neither less nor greater than anything.
 * - `text` is what someone typed without saying a type. It equals a string with these characters, and a number or boolean
 *   that is written so: `200`, `2e2`, `1.50`, `true`. Less and greater compare it with numbers when it is one, otherwise with strings.
 */
export type QueryLiteral =
  | { readonly type: 'text' | 'string'; readonly value: string }
  | { readonly type: 'int'; readonly value: bigint }
  | { readonly type: 'double'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean };

/**
 * A predicate on one span.
 *
 * - `and` of nothing holds, `or` of nothing does not; `not` holds where its argument does not.
 * - `exists`: the key is there, whatever its value, also an empty array or no value at all. Intrinsics always exist.
 * - `eq`, `lt`, `le`, `gt`, `ge`: one of the values compares so. Bytes and key-value lists exist, but compare to nothing.
 * - `ne`: the field exists and none of its values is equal. A span without the attribute meets neither `eq` nor `ne`;
 *   for `not` of `eq` it does.
 * - `matches`: one of the values is a string that matches the pattern as a whole. Patterns are regular expressions in the
 *   syntax of RE2 (see `parseRegex` for the few that are not taken).
 */
export type SpanPredicate =
  | { readonly op: 'and' | 'or'; readonly args: readonly SpanPredicate[] }
  | { readonly op: 'not'; readonly arg: SpanPredicate }
  | { readonly op: 'exists'; readonly field: QueryField }
  | {
      readonly op: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';
      readonly field: QueryField;
      readonly value: QueryLiteral;
    }
  | { readonly op: 'matches'; readonly field: QueryField; readonly pattern: string };

/**
 * The one query tree: every API compiles to it, every backend executes it.
 *
 * A trace matches when one of its spans starts in `[startMin, startMax)` and meets `where`.
 * The answer is the `limit` newest matching traces: ordered by the start of the trace's earliest
 * span (of all its spans, not only the matching ones), later first; equal starts by trace id, ascending.
 */
export interface TraceQuery {
  /** `{ op: 'and', args: [] }` matches every span. */
  readonly where: SpanPredicate;
  /** Unix epoch ns, inclusive. */
  readonly startMinUnixNano: bigint;
  /** Unix epoch ns, exclusive. */
  readonly startMaxUnixNano: bigint;
  /** 1 to 10,000. */
  readonly limit: number;
}

/** A trace without its spans. */
export interface TraceSummary {
  readonly traceId: TraceId;
  /** Earliest start and latest end of its spans. */
  readonly startTimeUnixNano: bigint;
  readonly endTimeUnixNano: bigint;
  readonly spanCount: number;
  /** Spans with status ERROR. */
  readonly errorCount: number;
  /**
   * Service and name of the earliest span without parent (ties by span id, then service, then name); empty when there
   * is none.
   */
  readonly rootServiceName: string;
  readonly rootSpanName: string;
  readonly rootSpanId: SpanId | '';
  /** Per service, by name, by code point; spans without service are under the empty name. */
  readonly services: readonly {
    readonly name: string;
    readonly spanCount: number;
    readonly errorCount: number;
  }[];
}
