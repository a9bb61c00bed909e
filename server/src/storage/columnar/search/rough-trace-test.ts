// SPDX-License-Identifier: Apache-2.0
import { StatusCode } from '@spoor/core/model/span.ts';
import type { SpanPredicate, TracePredicate, TraceQuery } from '@spoor/core/query/trace-query.ts';
import { literalNumber } from '@spoor/core/query/value-test.ts';
import { ROUGH_SLACK_NANOS } from '../head/head-batch.ts';

/**
 * What is known of a trace, or of some traces, without looking at spans; durations in ns, right up to {@link ROUGH_SLACK_NANOS}.
 */
export interface RoughTrace {
  /** Latest end minus earliest start. */
  readonly minDuration: number;
  readonly maxDuration: number;
  /** Duration of the longest span. */
  readonly longest: number;
  readonly minSpans: number;
  readonly maxSpans: number;
  readonly minErrors: number;
  readonly maxErrors: number;
  /** No trace has more spans that meet a predicate; Infinity where that is not known. */
  maxCount(where: SpanPredicate): number;
}

/** Whether a trace may match. */
export type RoughTest = (trace: RoughTrace) => boolean;

/** The part of a query that trace columns can tell of; undefined when that is nothing. */
export function compileRoughTest({ where, having }: TraceQuery): RoughTest | undefined {
  return allOf([ofSpans(where), having === undefined ? undefined : ofTrace(having)]);
}

/** What holds of a trace with a span that meets a predicate. */
function ofSpans(predicate: SpanPredicate): RoughTest | undefined {
  switch (predicate.op) {
    case 'and':
      return allOf(predicate.args.map(ofSpans));
    case 'or':
      return oneOf(predicate.args.map(ofSpans));
    case 'not':
    case 'exists':
    case 'matches':
      return undefined;
  }
  const { op, field, value } = predicate;
  if (field.kind !== 'intrinsic') return undefined;
  const number = Number(literalNumber(value));
  if (field.name === 'status' && op === 'eq' && number === StatusCode.error) {
    return ({ maxErrors }) => maxErrors > 0;
  }
  if (field.name === 'duration' && (op === 'eq' || op === 'gt' || op === 'ge')) {
    const least = number - slackOf(number);
    return ({ longest }) => longest >= least;
  }
  return undefined;
}

/** What holds of a trace that meets a predicate. */
function ofTrace(predicate: TracePredicate): RoughTest | undefined {
  switch (predicate.op) {
    case 'and':
      return allOf(predicate.args.map(ofTrace));
    case 'or':
      return oneOf(predicate.args.map(ofTrace));
    case 'some':
      return allOf([(trace) => trace.maxCount(predicate.where) > 0, ofSpans(predicate.where)]);
    case 'not':
    case 'matches':
      return undefined;
  }
  const { op, field, value } = predicate;
  const number = Number(literalNumber(value));
  if (Number.isNaN(number)) return undefined;
  if (field.kind === 'count') {
    if (op !== 'gt' && op !== 'ge' && op !== 'eq') return undefined;
    const least = op === 'gt' ? number : number - 1;
    if (least < 0) return undefined;
    const enough: RoughTest = (trace) =>
      trace.maxSpans > least && trace.maxCount(field.where) > least;
    return allOf([enough, ofSpans(field.where)]);
  }
  if (field.kind !== 'trace') return undefined;
  switch (field.name) {
    case 'duration': {
      const { least, most } = rangeOf(op, number, slackOf(number));
      return ({ minDuration, maxDuration }) => maxDuration >= least && minDuration <= most;
    }
    case 'span_count': {
      const { least, most } = rangeOf(op, number, 0);
      return ({ minSpans, maxSpans }) => maxSpans >= least && minSpans <= most;
    }
    case 'error_count': {
      const { least, most } = rangeOf(op, number, 0);
      return ({ minErrors, maxErrors }) => maxErrors >= least && minErrors <= most;
    }
    default:
      return undefined;
  }
}

/** The numbers that may compare so. */
function rangeOf(
  op: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge',
  bound: number,
  slack: number,
): { least: number; most: number } {
  const isUpper = op === 'lt' || op === 'le' || op === 'ne';
  const isLower = op === 'gt' || op === 'ge' || op === 'ne';
  return { least: isUpper ? -Infinity : bound - slack, most: isLower ? Infinity : bound + slack };
}

/** By how much a duration as a double may be off, near a bound: durations below 2^53 are exact. */
function slackOf(bound: number): number {
  return Math.abs(bound) < 2 ** 52 ? 1 : 2 * ROUGH_SLACK_NANOS;
}

function allOf(tests: readonly (RoughTest | undefined)[]): RoughTest | undefined {
  const known = tests.filter((test) => test !== undefined);
  if (known.length <= 1) return known[0];
  return (trace) => known.every((test) => test(trace));
}

function oneOf(tests: readonly (RoughTest | undefined)[]): RoughTest | undefined {
  if (tests.includes(undefined)) return undefined;
  return (trace) => tests.some((test) => test!(trace));
}
