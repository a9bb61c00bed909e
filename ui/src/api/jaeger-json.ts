// SPDX-License-Identifier: Apache-2.0
import { malformedAnswer } from './api-error.ts';

/** A typed key and value: an attribute of a span, of a resource or of an event. */
export interface KeyValue {
  readonly key: string;
  /** `string`, `bool`, `int64`, `float64` or `binary` (base64). */
  readonly type: string;
  readonly value: unknown;
}

/** A pointer to another span: most often `CHILD_OF` to the parent, `FOLLOWS_FROM` for a link. */
export interface SpanReference {
  readonly refType: string;
  readonly traceID: string;
  readonly spanID: string;
}

/** An event of a span; its name is the field `event`. */
export interface SpanLog {
  /** Epoch µs. */
  readonly timestamp: number;
  readonly fields: readonly KeyValue[];
}

/** One span. */
export interface JaegerSpan {
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly SpanReference[];
  /** Epoch µs. */
  readonly startTime: number;
  /** In µs. */
  readonly duration: number;
  readonly tags: readonly KeyValue[];
  readonly logs: readonly SpanLog[];
  readonly processID: string;
  readonly warnings: readonly string[];
}

/** What a span ran in: the resource, with its service name apart. */
export interface JaegerProcess {
  readonly serviceName: string;
  readonly tags: readonly KeyValue[];
}

/** One trace, as `GET /api/traces` of Jaeger's HTTP API gives it. */
export interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: ReadonlyMap<string, JaegerProcess>;
  readonly warnings: readonly string[];
}

/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A list of texts.
 * @throws {ApiError} when it is something else.
 */
export function decodeTexts(data: unknown, where: string): readonly string[] {
  if (data === null) return [];
  if (!Array.isArray(data)) throw malformedAnswer(where, 'a list');
  return data.filter((item: unknown): item is string => typeof item === 'string');
}

/**
 * A list of traces. Members that other servers leave out (or give as null) are read as empty.
 * @throws {ApiError} when a trace has no id or no list of spans.
 */
export function decodeTraces(data: unknown, where: string): readonly JaegerTrace[] {
  if (data === null) return [];
  if (!Array.isArray(data)) throw malformedAnswer(where, 'a list of traces');
  return data.map((item: unknown) => {
    if (!isRecord(item) || typeof item['traceID'] !== 'string' || !Array.isArray(item['spans'])) {
      throw malformedAnswer(where, 'a trace with “traceID” and “spans”');
    }
    const processes = new Map<string, JaegerProcess>();
    if (isRecord(item['processes'])) {
      for (const [id, process] of Object.entries(item['processes'])) {
        if (!isRecord(process)) continue;
        processes.set(id, {
          serviceName: text(process['serviceName']),
          tags: decodeKeyValues(process['tags']),
        });
      }
    }
    return {
      traceID: item['traceID'],
      spans: records(item['spans']).map(decodeSpan),
      processes,
      warnings: decodeWarnings(item['warnings']),
    };
  });
}

function decodeSpan(span: Record<string, unknown>): JaegerSpan {
  return {
    spanID: text(span['spanID']),
    operationName: text(span['operationName']),
    references: decodeReferences(span['references']),
    startTime: number(span['startTime']),
    duration: number(span['duration']),
    tags: decodeKeyValues(span['tags']),
    logs: records(span['logs']).map((log) => ({
      timestamp: number(log['timestamp']),
      fields: decodeKeyValues(log['fields']),
    })),
    processID: text(span['processID']),
    warnings: decodeWarnings(span['warnings']),
  };
}

// A trace may have a million attributes: lists that are as they should be are taken as they are.

function decodeKeyValues(value: unknown): readonly KeyValue[] {
  if (isListOf(value, isKeyValue)) return value;
  return records(value).map((item) => ({
    key: text(item['key']),
    type: text(item['type']),
    value: item['value'],
  }));
}

function isKeyValue(item: unknown): item is KeyValue {
  return isRecord(item) && typeof item['key'] === 'string' && typeof item['type'] === 'string';
}

function decodeReferences(value: unknown): readonly SpanReference[] {
  if (isListOf(value, isReference)) return value;
  return records(value).map((reference) => ({
    refType: text(reference['refType']),
    traceID: text(reference['traceID']),
    spanID: text(reference['spanID']),
  }));
}

function isReference(item: unknown): item is SpanReference {
  return (
    isRecord(item) &&
    typeof item['refType'] === 'string' &&
    typeof item['traceID'] === 'string' &&
    typeof item['spanID'] === 'string'
  );
}

function isListOf<T>(value: unknown, is: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(is);
}

/** A list of texts; empty where there is none. */
export function decodeWarnings(value: unknown): readonly string[] {
  return Array.isArray(value)
    ? value.filter((item: unknown): item is string => typeof item === 'string')
    : [];
}

function records(value: unknown): readonly Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}
