// SPDX-License-Identifier: Apache-2.0
import { withDirectory, withServer, type BenchContext } from './bench-context.ts';
import { sendCorpus } from './load.ts';
import { formatNumber, median, quantile, type Table } from './report.ts';
import { probeSync } from './sync-probe.ts';

/** A way to wait for acks. */
interface AckCase {
  readonly name: string;
  readonly corpus: string;
  readonly workers: number;
  /** Spans a second; undefined: the next request follows the ack. */
  readonly rate?: number;
  readonly requests: number;
  /** Spans of a request, for the size of the bare write. */
  readonly requestSpans: number;
}

const CASES: readonly AckCase[] = [
  {
    name: '512 spans, one at a time',
    corpus: 'shop',
    workers: 1,
    requests: 300,
    requestSpans: 512,
  },
  {
    name: '512 spans, 20,000 spans/s',
    corpus: 'shop',
    workers: 8,
    rate: 20_000,
    requests: 300,
    requestSpans: 512,
  },
  {
    name: '10 spans, one at a time',
    corpus: 'shop-10',
    workers: 1,
    requests: 1000,
    requestSpans: 10,
  },
];

/** About what a span takes in the write-ahead log. */
const LOGGED_BYTES = 130;
const PROBES = 300;
const WARM_UP = 100;

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
  const sizeBytes = entry.requestSpans * LOGGED_BYTES;
  return await withDirectory(context, (directory) =>
    withServer(context, directory, async (server) => {
      const before = probeSync(directory, sizeBytes, PROBES);
      const run = {
        corpusFile: corpus.file,
        protocol: 'http',
        endpoint: server.otlpHttp,
        workers: entry.workers,
      } as const;
      // The first requests meet code that was never run before. They are not sent twice: the server would know them.
      await sendCorpus({ ...run, limit: WARM_UP });
      const { latency } = await sendCorpus({
        ...run,
        skip: WARM_UP,
        limit: entry.requests,
        ...(entry.rate === undefined ? {} : { rate: entry.rate }),
      });
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
