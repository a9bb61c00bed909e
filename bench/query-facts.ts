// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import type { CorpusTruth } from '../server/src/cli/tracegen/corpus-truth.ts';

/** Traces of a corpus that questions pick from: 20 million spans have over a million, which need not all be kept. */
const MAX_SAMPLES = 20_000;

/** What questions need to know about a corpus of profile `shop`. */
export interface QueryFacts {
  readonly spans: number;
  /** Earliest start and latest end of a span, Unix µs. */
  readonly firstMicros: number;
  readonly lastMicros: number;
  /** Some ids of traces, and some values of `order.id`, both from all over the corpus. */
  readonly traceIds: readonly string[];
  readonly orderIds: readonly string[];
  readonly services: readonly string[];
  readonly operations: readonly {
    readonly serviceName: string;
    readonly spanName: string;
    readonly spanCount: number;
  }[];
}

/** Takes from what is known of a corpus what questions need. */
export function factsOf({ spans, traces, operations }: CorpusTruth): QueryFacts {
  let first = traces[0]!.startTimeUnixNano;
  let last = traces[0]!.endTimeUnixNano;
  for (const { startTimeUnixNano, endTimeUnixNano } of traces) {
    if (startTimeUnixNano < first) first = startTimeUnixNano;
    if (endTimeUnixNano > last) last = endTimeUnixNano;
  }
  return {
    spans,
    firstMicros: Number(first / 1000n),
    lastMicros: Number(last / 1000n),
    traceIds: sample(traces.map(({ traceId }) => traceId)),
    orderIds: sample(traces.map(({ orderId }) => orderId).filter((id) => id !== '')),
    services: [...new Set(operations.map(({ serviceName }) => serviceName))],
    operations: operations.map(({ serviceName, spanName, spanCount }) => ({
      serviceName,
      spanName,
      spanCount,
    })),
  };
}

/** Writes facts into a file. */
export function writeFacts(file: string, facts: QueryFacts): void {
  writeFileSync(file, JSON.stringify(facts));
}

/** Reads what {@link writeFacts} wrote. */
export function readFacts(file: string): QueryFacts {
  // Written by this very program.
  return JSON.parse(readFileSync(file, 'utf8')) as QueryFacts;
}

function sample<T>(list: readonly T[]): T[] {
  const step = Math.max(1, list.length / MAX_SAMPLES);
  return Array.from(
    { length: Math.floor(list.length / step) },
    (_, i) => list[Math.floor(i * step)]!,
  );
}
