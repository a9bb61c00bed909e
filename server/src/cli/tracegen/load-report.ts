// SPDX-License-Identifier: Apache-2.0
import type { LatencyHistogram } from './latency-histogram.ts';
import type { LoadCounts, LoadResult } from './load-sender.ts';

/** One line about a run that goes on. */
export function formatProgress(
  counts: Readonly<LoadCounts>,
  latency: LatencyHistogram,
  elapsedMs: number,
): string {
  const perSecond = spansPerSecond(counts, elapsedMs);
  return [
    `${(elapsedMs / 1000).toFixed(1)} s`,
    `sent ${grouped(counts.sentSpans)}`,
    `acked ${grouped(counts.ackedSpans)}`,
    `${grouped(Math.round(perSecond))} spans/s`,
    `refused ${grouped(counts.refusedRequests)}`,
    `lost ${grouped(counts.lostSpans)}`,
    `p99 ${formatMs(latency.quantileMs(0.99))}`,
  ].join('  ');
}

/** The end of a run, several lines. */
export function formatResult(result: LoadResult): string {
  const { latency } = result;
  const perSecond = Math.round(spansPerSecond(result, result.elapsedMs));
  const lines = [
    `sent      ${grouped(result.sentSpans)} spans in ${grouped(result.sentRequests)} requests, ${(result.sentBytes / 1e6).toFixed(1)} MB before compression`,
    `acked     ${grouped(result.ackedSpans)} spans in ${grouped(result.ackedRequests)} requests`,
    `refused   ${grouped(result.refusedRequests)} times with a request to try again, ${grouped(result.retries)} retries`,
    `rejected  ${grouped(result.rejectedSpans)} spans by partial success`,
    `lost      ${grouped(result.lostSpans)} spans in ${grouped(result.lostRequests)} requests`,
    `latency   p50 ${formatMs(latency.quantileMs(0.5))}, p95 ${formatMs(latency.quantileMs(0.95))}, p99 ${formatMs(latency.quantileMs(0.99))}, max ${formatMs(latency.maxMs)}`,
    `speed     ${grouped(perSecond)} spans/s over ${(result.elapsedMs / 1000).toFixed(2)} s`,
  ];
  if (result.unansweredSpans > 0) {
    lines.splice(
      2,
      0,
      `sent off  ${grouped(result.unansweredSpans)} spans in datagrams, which nobody answers`,
    );
  }
  for (const [reason, count] of result.reasons)
    lines.push(`          ${grouped(count)} × ${reason}`);
  return `${lines.join('\n')}\n`;
}

/** The end of a run as one JSON object. */
export function resultJson(result: LoadResult): string {
  const { latency, reasons, ...counts } = result;
  return JSON.stringify({
    ...counts,
    latencyMs: {
      p50: latency.quantileMs(0.5),
      p95: latency.quantileMs(0.95),
      p99: latency.quantileMs(0.99),
      max: latency.maxMs,
    },
    spansPerSecond: spansPerSecond(result, result.elapsedMs),
    reasons: Object.fromEntries(reasons),
  });
}

function spansPerSecond(counts: Readonly<LoadCounts>, elapsedMs: number): number {
  return (counts.ackedSpans + counts.unansweredSpans) / Math.max(elapsedMs / 1000, 1e-3);
}

function formatMs(ms: number): string {
  return ms < 10
    ? `${ms.toFixed(2)} ms`
    : ms < 10_000
      ? `${ms.toFixed(0)} ms`
      : `${(ms / 1000).toFixed(1)} s`;
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
