// SPDX-License-Identifier: Apache-2.0
import { malformedAnswer } from '#api/api-error.ts';
import { isRecord } from '#api/jaeger-json.ts';

/** What the answer is to be. */
const EXPECTED = 'a list of summaries of traces';

/** A service's part in a trace. */
export interface ServicePart {
  readonly service: string;
  readonly spanCount: number;
  /** Time in its spans with none of their children running, in µs; undefined where the trace is too large to say. */
  readonly selfUs: number | undefined;
}

/** A trace as one line of a list of results. */
export interface TraceSummary {
  readonly traceId: string;
  /** Of the root, or of the span that stands first where that is missing; the operation is empty where it is not known. */
  readonly rootService: string;
  readonly rootOperation: string;
  /** No span is without a parent. */
  readonly rootMissing: boolean;
  /** Epoch µs. */
  readonly startUs: number;
  readonly durationUs: number;
  readonly spanCount: number;
  readonly errorCount: number;
  /** By time, the longest first; by the number of spans where the time is not known. */
  readonly parts: readonly ServicePart[];
}

/**
 * The list of an answer of `/api/trace-summaries?details=true`, in its order.
 * @throws {ApiError} when it is something else.
 */
export function decodeSummaries(data: unknown, where: string): readonly TraceSummary[] {
  if (data === null) return [];
  if (!Array.isArray(data)) throw malformedAnswer(where, EXPECTED);
  return data.map((item: unknown) => {
    const summary = isRecord(item) ? decodeSummary(item) : undefined;
    if (summary === undefined) throw malformedAnswer(where, EXPECTED);
    return summary;
  });
}

function decodeSummary(item: Record<string, unknown>): TraceSummary | undefined {
  const { traceId, spanCount, errorSpanCount = 0 } = item;
  const { rootServiceName, rootOperationName, firstServiceName, firstOperationName = '' } = item;
  const start = nanos(item['minStartTimeUnixNano']);
  const end = nanos(item['maxEndTimeUnixNano']);
  const parts = decodeParts(item['services']);
  if (
    typeof traceId !== 'string' ||
    typeof spanCount !== 'number' ||
    typeof errorSpanCount !== 'number' ||
    typeof rootServiceName !== 'string' ||
    typeof rootOperationName !== 'string' ||
    typeof firstOperationName !== 'string' ||
    start === undefined ||
    end === undefined ||
    parts === undefined
  ) {
    return undefined;
  }
  const rootMissing = rootServiceName === '';
  const first = typeof firstServiceName === 'string' ? firstServiceName : parts[0]!.service;
  return {
    traceId,
    rootService: rootMissing ? first : rootServiceName,
    rootOperation: rootMissing ? firstOperationName : rootOperationName,
    rootMissing,
    startUs: Number(start / 1000n),
    // All spans may end before they start.
    durationUs: Math.max(0, Number(end - start)) / 1000,
    spanCount,
    errorCount: errorSpanCount,
    parts,
  };
}

/** The services of a trace, at least one. */
function decodeParts(value: unknown): readonly ServicePart[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const parts: ServicePart[] = [];
  for (const item of value as readonly unknown[]) {
    if (!isRecord(item)) return undefined;
    const { name, spanCount } = item;
    if (typeof name !== 'string' || typeof spanCount !== 'number') return undefined;
    const self = nanos(item['selfTimeNano']);
    const selfUs = self === undefined ? undefined : Number(self) / 1000;
    parts.push({ service: name, spanCount, selfUs });
  }
  return parts.sort((a, b) => (b.selfUs ?? 0) - (a.selfUs ?? 0) || b.spanCount - a.spanCount);
}

/** A number of 64 bits, which is a text in JSON. */
function nanos(value: unknown): bigint | undefined {
  return typeof value === 'string' && /^\d{1,20}$/.test(value) ? BigInt(value) : undefined;
}
