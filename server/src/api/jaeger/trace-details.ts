// SPDX-License-Identifier: Apache-2.0
import { parentAmong } from '@spoor/core/analysis/parent-reference.ts';
import { selfTimes } from '@spoor/core/analysis/self-time.ts';
import { buildTraceTree, type TraceTreeInput } from '@spoor/core/analysis/trace-tree.ts';
import type { SpanId } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { SpanReader, symbolBytes, symbolText } from '@spoor/core/model/span-reader.ts';
import { equalBytes } from '@spoor/core/model/symbol-interner.ts';
import { decodeResource } from '@spoor/core/model/value-decoder.ts';
import { shownService } from '@spoor/core/query/unnamed-service.ts';
import { formatJaegerTraceId, jaegerReferences } from './jaeger-span.ts';
import { SharedSpanIds } from './shared-span-ids.ts';

/** Rows after which the event loop is given a chance. */
const ROWS_AT_A_TIME = 1024;

/** Spans of the longest trace that has details. Its tree is made in one go, in 7 to 10 ms for so many. */
const MAX_SPANS = 20_000;

const NO_ID = '0000000000000000';

/** What only the tree of a trace tells: that of its spans as Jaeger's JSON shows them. */
export interface TraceDetails {
  /**
   * By service as it is shown: the time of its spans in which none of their children runs, in ns. It is exact where the
   * trace takes less than 2^53 ns, 104 days.
   */
  readonly selfTimeNanos: ReadonlyMap<string, bigint>;
  /** Service and name of the span that stands first. */
  readonly firstServiceName: string;
  readonly firstSpanName: string;
}

/** Whether a trace of so many spans has details. */
export function hasDetails(spanCount: number): boolean {
  return spanCount <= MAX_SPANS;
}

/**
 * Details of a trace that has some. Yields nothing but time.
 * @param batch all spans of the trace, at least one
 */
export function* traceDetails(batch: SpanBatch): Generator<string, TraceDetails, undefined> {
  const start = startNanos(batch);
  const duration = durationNanos(batch);
  const tree = buildTraceTree({ ...(yield* shownIds(batch)), start, duration });
  yield '';
  const ofSpans = selfTimes(tree, start, duration);
  const ofResources = new Map<number, bigint>();
  for (let row = 0; row < batch.rows; row++) {
    const code = batch.resource[row]!;
    ofResources.set(code, (ofResources.get(code) ?? 0n) + BigInt(ofSpans[row]!));
  }
  const selfTimeNanos = new Map<string, bigint>();
  for (const [code, nanos] of ofResources) {
    const service = serviceOf(batch, code);
    selfTimeNanos.set(service, (selfTimeNanos.get(service) ?? 0n) + nanos);
    yield '';
  }
  const first = tree.order[0]!;
  return {
    selfTimeNanos,
    firstServiceName: serviceOf(batch, batch.resource[first]!),
    firstSpanName: symbolText(batch.names, batch.name[first]!),
  };
}

function serviceOf({ resources }: SpanBatch, code: number): string {
  return shownService(decodeResource(symbolBytes(resources, code)).serviceName);
}

/** Starts of all rows after the earliest. */
function startNanos({ rows, startLo, startHi }: SpanBatch): Float64Array {
  let first = 0;
  for (let row = 1; row < rows; row++) {
    const later = startHi[row]! - startHi[first]! || startLo[row]! - startLo[first]!;
    if (later < 0) first = row;
  }
  return Float64Array.from(
    { length: rows },
    (_, row) => (startHi[row]! - startHi[first]!) * 2 ** 32 + (startLo[row]! - startLo[first]!),
  );
}

/** Durations of all rows, 0 where a span ends before it starts. */
function durationNanos(batch: SpanBatch): Float64Array {
  const { rows, startLo, startHi, durationLo, durationHi } = batch;
  return Float64Array.from({ length: rows }, (_, row) => {
    const carry = startLo[row]! + durationLo[row]! < 2 ** 32 ? 0 : 1;
    // The end is below the start where their sum does not fit into 64 bits.
    const isNegative = startHi[row]! + durationHi[row]! + carry >= 2 ** 32;
    return isNegative ? 0 : durationHi[row]! * 2 ** 32 + durationLo[row]!;
  });
}

/** Ids of all spans and of their parents, as they are shown. */
function* shownIds(
  batch: SpanBatch,
): Generator<string, Pick<TraceTreeInput, 'spanIds' | 'parentSpanIds'>, undefined> {
  const shared = yield* SharedSpanIds.find(batch, true);
  const spanIds = idsOf(batch.spanId);
  const parentSpanIds = idsOf(batch.parentSpanId).map((id): SpanId | '' =>
    id === NO_ID ? '' : id,
  );
  let spans: SpanReader | undefined;
  for (let row = 0; row < batch.rows; row++) {
    if (!shared.isEmpty) {
      const ids = { spanId: spanIds[row]!, parentSpanId: parentSpanIds[row]! };
      const shown = shared.placeIds(ids, row);
      spanIds[row] = shown.spanId;
      parentSpanIds[row] = shown.parentSpanId;
    }
    const isLinked = hasOwnLink(batch, row);
    if (isLinked) {
      spans ??= new SpanReader(batch);
      parentSpanIds[row] = shownParent(shared.place(spans.read(row), row));
    }
    if (isLinked || row % ROWS_AT_A_TIME === ROWS_AT_A_TIME - 1) yield '';
  }
  return { spanIds, parentSpanIds };
}

function idsOf(bytes: Uint8Array): SpanId[] {
  const hex = bytes.toHex();
  // 16 hex digits each.
  return Array.from(
    { length: bytes.length / 8 },
    (_, i) => hex.slice(i * 16, i * 16 + 16) as SpanId,
  );
}

/** Whether a span has a link into its own trace: it may stand for the parent, or say that another one is it. */
function hasOwnLink({ links, traceId }: SpanBatch, row: number): boolean {
  if (links === undefined) return false;
  for (let link = links.rowOffsets[row]!; link < links.rowOffsets[row + 1]!; link++) {
    if (equalBytes(links.traceId, link * 16, traceId, 0, 16)) return true;
  }
  return false;
}

/** What is drawn as the parent of a span. */
function shownParent(span: Span): SpanId | '' {
  const traceId = formatJaegerTraceId(span.traceId);
  const own = jaegerReferences(span).filter(({ traceID }) => traceID === traceId);
  const parent = parentAmong(own);
  // It was the id of the parent or of a link, of 16 hex digits.
  return parent === undefined ? '' : (parent.spanID as SpanId);
}
