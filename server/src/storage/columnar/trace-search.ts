// SPDX-License-Identifier: Apache-2.0
import { formatTraceId, type TraceId } from '@spoor/core/model/ids.ts';
import type { SpanColumns } from '@spoor/core/model/span-columns.ts';
import { orderTrace } from '@spoor/core/query/join-trace.ts';
import {
  type CompiledPredicate,
  compilePredicate,
  evaluate,
  PredicateBudget,
} from '@spoor/core/query/predicate.ts';
import { TraceSummarizer } from '@spoor/core/query/summarize-trace.ts';
import { TopTraces } from '@spoor/core/query/top-traces.ts';
import { TraceEvaluator } from '@spoor/core/query/trace-evaluator.ts';
import { positionOf } from '@spoor/core/query/trace-order.ts';
import type { TracePage, TraceQuery, TraceSummary } from '@spoor/core/query/trace-query.ts';
import { chooseGroups } from './group-choice.ts';
import type { RowGroup } from './row-group.ts';
import { clipRanges } from './start-ranges.ts';
import { ROUGH_SLACK_NANOS, roughNanos, type TraceSources } from './trace-sources.ts';

/** A trace that matched in one source. Its key can be no later than `bound`, a start in that source. */
interface Candidate {
  readonly bound: number;
  readonly columns: SpanColumns;
  /** Byte offset of the trace's id in `ids`. */
  readonly ids: Uint8Array;
  readonly idOffset: number;
}

/** Bounds of a block that lie further apart may be those of a few odd spans: the block itself knows better. */
const WIDE_NANOS = 86_400e9;

/** Something to evaluate a query on; no span in it starts after `maxStart`. */
interface Place {
  readonly maxStart: number;
  collect(into: Candidate[]): void;
}

/** Answers a query, exactly. */
export function findTraces(
  sources: TraceSources,
  query: TraceQuery,
  checkCancelled: () => void,
): TracePage {
  const budget = new PredicateBudget();
  const compiled = compilePredicate(query.where, budget);
  const evaluator = query.having && new TraceEvaluator(query.having, budget);
  const places = placesOf(sources, query, compiled, checkCancelled);
  const { order = 'newest', after, limit } = query;
  const isPlain = order === 'newest' && evaluator === undefined && after === undefined;
  const ids = isPlain
    ? findNewest(sources, places, limit + 1, checkCancelled)
    : findAll(places, checkCancelled);
  const top = new TopTraces<TraceSummary>(query);
  const summarizer = new TraceSummarizer();
  for (const parts of sources.findParts(ids)) {
    checkCancelled();
    const trace = orderTrace(parts);
    const summary = summarizer.summarizeRows(trace);
    if (evaluator !== undefined && !evaluator.holds(trace, summary)) continue;
    top.offer({ ...positionOf(order, summary), value: summary });
  }
  const { traces, next } = top.finish();
  return { traces: traces.map(({ value }) => value), next };
}

/** All traces with a matching span. */
function findAll(places: readonly Place[], checkCancelled: () => void): TraceId[] {
  const ids = new Set<TraceId>();
  for (const place of places) {
    checkCancelled();
    const found: Candidate[] = [];
    place.collect(found);
    for (const candidate of found) ids.add(formatTraceId(candidate.ids, candidate.idOffset));
  }
  return [...ids];
}

/**
 * Finds the newest matching traces.
 *
 * The key of a trace is its earliest start over all its parts, so it is at most any start in any part. Places are looked at by
 * falling latest start; a trace found there is a candidate until its true key is fetched. The search ends when neither a place nor a
 * candidate could still beat the worst of the `limit` best keys.
 */
function findNewest(
  sources: TraceSources,
  places: readonly Place[],
  limit: number,
  checkCancelled: () => void,
): TraceId[] {
  const keys = new Map<TraceId, bigint>();
  let pool: Candidate[] = [];
  /** The worst of the best keys so far; nothing at or below it can get in, but for equal starts. */
  let threshold = -Infinity;
  let next = 0;
  for (;;) {
    checkCancelled();
    const place = places[next];
    const openPlace = place !== undefined && place.maxStart + ROUGH_SLACK_NANOS >= threshold;
    if (openPlace) {
      place.collect(pool);
      next++;
      pool = sortedByBound(pool, threshold);
    }
    const wanted = takeBest(pool, keys, threshold, limit);
    if (wanted.length === 0) {
      if (openPlace) continue;
      break;
    }
    const starts = sources.findStarts(wanted);
    wanted.forEach((id, i) => keys.set(id, starts[i]!));
    threshold = worstOfBest(keys, limit);
  }
  return [...keys]
    .toSorted(([aId, a], [bId, b]) => (a === b ? (aId < bId ? -1 : 1) : a > b ? -1 : 1))
    .slice(0, limit)
    .map(([id]) => id);
}

function placesOf(
  sources: TraceSources,
  query: TraceQuery,
  compiled: CompiledPredicate,
  checkCancelled: () => void,
): Place[] {
  const places: Place[] = [];
  const min = Number(query.startMinUnixNano) - ROUGH_SLACK_NANOS;
  const max = Number(query.startMaxUnixNano) + ROUGH_SLACK_NANOS;
  const outside = (bounds: { minStart: number; maxStart: number }): boolean =>
    bounds.maxStart < min || bounds.minStart > max;
  // Where all starts are surely inside, they need not be read.
  const inside = (bounds: { minStart: number; maxStart: number }): boolean =>
    bounds.minStart > min + 2 * ROUGH_SLACK_NANOS && bounds.maxStart < max - 2 * ROUGH_SLACK_NANOS;
  const select = (columns: SpanColumns, isInside: boolean) => {
    checkCancelled();
    return evaluate(compiled, columns, isInside ? undefined : query);
  };
  for (const head of sources.head) {
    if (outside(head)) continue;
    const { batch } = head;
    places.push({
      maxStart: head.maxStart,
      collect: (into) => {
        for (const row of select(batch, inside(head))) {
          const bound = roughNanos(batch.startHi[row]!, batch.startLo[row]!);
          into.push({ bound, columns: batch, ids: batch.traceId, idOffset: row * 16 });
        }
      },
    });
  }
  for (const block of sources.blocks) {
    if (outside(block)) continue;
    let { maxStart } = block;
    let isInside = inside(block);
    if (!isInside && block.maxStart - block.minStart > WIDE_NANOS) {
      const clipped = sources.withBlock(block, (reader) => clipRanges(reader.startRanges, query));
      if (clipped?.latest === undefined) continue;
      maxStart = Number(clipped.latest);
      isInside = clipped.isAllInside;
    }
    places.push({
      maxStart,
      collect: (into) =>
        sources.withBlock(block, (reader) => {
          const groups = chooseGroups(reader, query.where);
          for (let g = 0; g < reader.footer.groups.length; g++) {
            if ((groups & (1 << (g & 31))) === 0) continue;
            const group = reader.group(g);
            collectGroup(group, select(group, isInside), into);
          }
        }),
    });
  }
  return places.sort((a, b) => b.maxStart - a.maxStart);
}

/** One candidate for each trace with a selected row; rows of a trace stand by start, so the first one is its bound. */
function collectGroup(group: RowGroup, selected: Uint32Array, into: Candidate[]): void {
  if (selected.length === 0) return;
  const starts = group.traceStarts;
  const { startLo, startHi, traceIds } = group;
  let trace = 0;
  for (let i = 0; i < selected.length;) {
    const row = selected[i]!;
    while (starts[trace + 1]! <= row) trace++;
    const first = starts[trace]!;
    into.push({
      bound: roughNanos(startHi[first]!, startLo[first]!),
      columns: group,
      ids: traceIds,
      idOffset: trace * 16,
    });
    const end = starts[trace + 1]!;
    while (i < selected.length && selected[i]! < end) i++;
  }
}

/** Latest bound last, for popping; what cannot get in any more is dropped. */
function sortedByBound(pool: readonly Candidate[], threshold: number): Candidate[] {
  return pool
    .filter(({ bound }) => bound + ROUGH_SLACK_NANOS >= threshold)
    .toSorted((a, b) => a.bound - b.bound);
}

/** Up to `limit` traces with the latest bounds whose keys are not known yet. */
function takeBest(
  pool: Candidate[],
  keys: ReadonlyMap<TraceId, bigint>,
  threshold: number,
  limit: number,
): TraceId[] {
  const taken = new Set<TraceId>();
  for (;;) {
    const best = pool.at(-1);
    if (best === undefined || taken.size === limit) break;
    if (best.bound + ROUGH_SLACK_NANOS < threshold) break;
    pool.pop();
    const id = formatTraceId(best.ids, best.idOffset);
    if (!keys.has(id)) taken.add(id);
  }
  return [...taken];
}

function worstOfBest(keys: ReadonlyMap<TraceId, bigint>, limit: number): number {
  if (keys.size < limit) return -Infinity;
  const starts = [...keys.values()].toSorted((a, b) => (a > b ? -1 : a < b ? 1 : 0));
  return Number(starts[limit - 1]!);
}
