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
 * Something that a whole trace has one value of. What it says is about all spans of the trace, also those outside of the
 * window of the query.
 *
 * - `trace`: `duration` is the latest end minus the earliest start in ns, `error_count` the number of spans with status
 *   ERROR; `root_service` and `root_name` are those of the summary, empty without root.
 * - `count`: how many spans meet `where`.
 * - `duration`: `sum`, `avg`, `min` or `max` of the durations in ns of the spans that meet `where`, as the intrinsic of
 *   spans has them. The sum of no spans is 0; the others do not exist then. All are exact, an average as a fraction.
 */
export type TraceField =
  | {
      readonly kind: 'trace';
      readonly name: 'duration' | 'span_count' | 'error_count' | 'root_service' | 'root_name';
    }
  | { readonly kind: 'count'; readonly where: SpanPredicate }
  | {
      readonly kind: 'duration';
      readonly aggregate: 'sum' | 'avg' | 'min' | 'max';
      readonly where: SpanPredicate;
    };

/**
 * A predicate on a whole trace, over all of its spans.
 *
 * - `and`, `or` and `not` are as in {@link SpanPredicate}.
 * - `some`: one of the spans meets `where`. Two of them joined by `and` may be met by different spans.
 * - Comparisons are as in {@link SpanPredicate}: numbers by what they are worth, and to a text only where that is a
 *   number; `ne` wants the field to exist. `matches` is for the two texts.
 */
export type TracePredicate =
  | { readonly op: 'and' | 'or'; readonly args: readonly TracePredicate[] }
  | { readonly op: 'not'; readonly arg: TracePredicate }
  | { readonly op: 'some'; readonly where: SpanPredicate }
  | {
      readonly op: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';
      readonly field: TraceField;
      readonly value: QueryLiteral;
    }
  | { readonly op: 'matches'; readonly field: TraceField; readonly pattern: string };

/**
 * Orders of traces, best first: by start of the earliest span, by duration (latest end minus earliest start), by number of
 * spans, and by number of spans with status ERROR. Equal ones follow each other by trace id, ascending, in every order.
 */
export const TRACE_ORDERS = [
  'newest',
  'oldest',
  'longest',
  'shortest',
  'most_spans',
  'most_errors',
] as const;

/** One of {@link TRACE_ORDERS}. */
export type TraceOrder = (typeof TRACE_ORDERS)[number];

/** Where a trace stands in an order. */
export interface TracePosition {
  /** What the order goes by: start in Unix epoch ns, duration in ns (it may be negative), or a count. */
  readonly key: bigint;
  readonly traceId: TraceId;
}

/**
 * The one query tree: every API compiles to it, every backend executes it.
 *
 * A trace matches when one of its spans starts in `[startMin, startMax)` and meets `where`, and when all of its spans,
 * wherever they start, meet `having`. It is ranked by all of its spans, too. The answer is the first `limit` matching
 * traces in `order`, or, with `after`, the first ones behind that position.
 *
 * Pages: ask for the next one with `after` as the last page said, and all else unchanged. A trace whose key does not change
 * meanwhile is on exactly one page; one that comes, goes or moves may be on one, on several or on none.
 */
export interface TraceQuery {
  /** `{ op: 'and', args: [] }` matches every span. */
  readonly where: SpanPredicate;
  readonly having?: TracePredicate;
  /** Unix epoch ns, inclusive. */
  readonly startMinUnixNano: bigint;
  /** Unix epoch ns, exclusive. */
  readonly startMaxUnixNano: bigint;
  /** `newest` by default. */
  readonly order?: TraceOrder;
  readonly after?: TracePosition;
  /** 1 to 10,000. */
  readonly limit: number;
}

/** An answer to a {@link TraceQuery}. */
export interface TracePage {
  readonly traces: readonly TraceSummary[];
  /** The `after` of the next page; undefined when no further trace matches. */
  readonly next: TracePosition | undefined;
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
