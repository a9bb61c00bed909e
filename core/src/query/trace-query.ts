// SPDX-License-Identifier: Apache-2.0
import type { SpanId, TraceId } from '#model/ids.ts';

/**
 * What a comparison looks at.
 *
 * - `attribute` with scope `any`: attributes of the span, its resource, its scope and its events; the
 *   comparison holds when it holds for one of the values.
 * - `duration` is the span's, in ns. `kind` and `status` are the numbers of the OTLP enums.
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
 * A value to compare with. `text` is what someone typed without saying a type: it equals a
 * string with these characters, and a number or boolean that is written so.
 */
export type QueryLiteral =
  | { readonly type: 'text' | 'string'; readonly value: string }
  | { readonly type: 'int'; readonly value: bigint }
  | { readonly type: 'double'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean };

/** A predicate on one span. */
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
  /** Service and name of the earliest span without parent; empty when there is none. */
  readonly rootServiceName: string;
  readonly rootSpanName: string;
  readonly rootSpanId: SpanId | '';
  /** Per service, by name. */
  readonly services: readonly {
    readonly name: string;
    readonly spanCount: number;
    readonly errorCount: number;
  }[];
}
