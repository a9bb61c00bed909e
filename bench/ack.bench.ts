// SPDX-License-Identifier: Apache-2.0
import { readCorpusFile } from '../server/src/cli/tracegen/corpus-file.ts';
import { withDirectory, withServer, type BenchContext } from './bench-context.ts';
import { sendRequests } from './load.ts';
import { formatNumber, median, quantile, type Table } from './report.ts';
import { probeSync } from './sync-probe.ts';

/** A way to wait for acks. */
interface AckCase {
  readonly name: string;
  readonly corpus: string;
  readonly workers: number;
  /** Spans a second; undefined: the next request follows the ack. */
  readonly rate?: number;
  /** Spans of a request, for the size of the bare write. */
  readonly requestSpans: number;
}

const CASES: readonly AckCase[] = [
  {
    name: '512 spans, one at a time',
    corpus: 'shop',
    workers: 1,
    requestSpans: 512,
  },
  {
    name: '512 spans, 20,000 spans/s',
    corpus: 'shop',
    workers: 8,
    rate: 20_000,
    requestSpans: 512,
  },
  {
    name: '10 spans, one at a time',
    corpus: 'shop-10',
    workers: 1,
    requestSpans: 10,
  },
];

/** About what a span takes in the write-ahead log. */
const LOGGED_BYTES = 130;
const PROBES = 1000;

/**
 * Requests that are sent first, a third of the corpus at most: with 512 spans each, five slabs are sealed meanwhile and the first blocks
 * merged, by code that was never run before. What is measured then does all of it again.
 */
const WARM_UP = 1000;
const MEASURED = 2000;

/** How long a sender waits for its ack, beside writes of the same size with a bare `fdatasync`. */
export async function benchAck(context: BenchContext): Promise<Table> {
  const { options, say } = context;
  const rows: string[][] = [];
  for (const entry of CASES) {
    const runs: number[][] = [];
    for (let round = 0; round < options.rounds; round++) runs.push(await runCase(context, entry));
    const medians = [0, 1, 2, 3].map((column) => median(runs.map((run) => run[column]!)));
    say(
      `ack wait, ${entry.name}: p50 ${formatNumber(medians[0]!)} ms, p99 ${formatNumber(medians[1]!)} ms`,
    );
    rows.push([entry.name, ...medians.map(formatNumber)]);
  }
  return {
    title: 'Ack wait over HTTP beside a bare fdatasync, ms, medians',
    columns: ['requests', 'ack p50', 'ack p99', 'sync p50', 'sync p99'],
    rows,
  };
}

/** Ack p50 and p99, sync p50 and p99. */
async function runCase(context: BenchContext, entry: AckCase): Promise<number[]> {
  const corpus = context.corpora.get(entry.corpus);
  const warmUp = Math.min(WARM_UP, Math.floor(corpus.truth.spans / entry.requestSpans / 3));
  const sizeBytes = entry.requestSpans * LOGGED_BYTES;
  const requests = [...readCorpusFile(corpus.file).take(warmUp + MEASURED)];
  return await withDirectory(context, (directory) =>
    withServer(context, directory, async (server) => {
      const before = probeSync(directory, sizeBytes, PROBES);
      const target = {
        protocol: 'http',
        endpoint: server.otlpHttp,
        workers: entry.workers,
      } as const;
      // They are not sent twice: the server would know them.
      await sendRequests(requests.slice(0, warmUp), target, entry.rate);
      const { latency } = await sendRequests(requests.slice(warmUp), target, entry.rate);
      const after = probeSync(directory, sizeBytes, PROBES);
      const probes = [...before, ...after];
      return [
        latency.quantileMs(0.5),
        latency.quantileMs(0.99),
        quantile(probes, 0.5),
        quantile(probes, 0.99),
      ];
    }),
  );
}
