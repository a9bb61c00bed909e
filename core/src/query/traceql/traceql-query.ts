// SPDX-License-Identifier: Apache-2.0

/** Where an attribute is looked for; `unscoped` is that of the span, and where the span has none with this key that of its resource. */
export type TraceqlScope = 'unscoped' | 'span' | 'resource' | 'instrumentation' | 'event' | 'link';

/** What every span, or every trace, has one value of. */
export type TraceqlIntrinsic =
  | 'name'
  | 'status'
  | 'kind'
  | 'duration'
  | 'traceDuration'
  | 'rootName'
  | 'rootServiceName';

/** What is compared. */
export type TraceqlField =
  | { readonly kind: 'intrinsic'; readonly name: TraceqlIntrinsic }
  | { readonly kind: 'attribute'; readonly scope: TraceqlScope; readonly key: string };

/** What a field is compared with. Durations are in ns; status and kind are the numbers of the OTLP enums. */
export type TraceqlValue =
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'int' | 'duration' | 'status' | 'kind'; readonly value: bigint };

/** A comparison by value. */
export type TraceqlComparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** Any comparison; patterns are compared by the last two. */
export type TraceqlOperator = TraceqlComparison | '=~' | '!~';

/** The condition of a spanset filter. `at` is where it is in the query, in UTF-16 units. */
export type TraceqlExpression =
  | {
      readonly op: 'and' | 'or';
      readonly args: readonly TraceqlExpression[];
      readonly at: number;
    }
  | { readonly op: 'not'; readonly arg: TraceqlExpression; readonly at: number }
  | {
      readonly op: TraceqlOperator;
      readonly field: TraceqlField;
      readonly value: TraceqlValue;
      readonly at: number;
    }
  | { readonly op: 'exists' | 'missing'; readonly field: TraceqlField; readonly at: number }
  | { readonly op: 'always' | 'never'; readonly at: number };

/** A comparison of what is counted or summed up of the spans that the filter selects: `count() > 3`, `avg(duration) > 1s`. */
export interface TraceqlScalarFilter {
  readonly aggregate: 'count' | 'avg' | 'min' | 'max' | 'sum';
  readonly op: TraceqlComparison;
  readonly value: TraceqlValue;
  readonly at: number;
}

/**
 * The part of TraceQL that a search can answer: one spanset filter, and comparisons of its aggregates.
 * @see https://grafana.com/docs/tempo/latest/traceql/construct-traceql-queries/
 */
export interface TraceqlQuery {
  /** Undefined selects every span. */
  readonly filter: TraceqlExpression | undefined;
  readonly stages: readonly TraceqlScalarFilter[];
}
