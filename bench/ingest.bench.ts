// SPDX-License-Identifier: Apache-2.0
import { withDirectory, withServer, type BenchContext } from './bench-context.ts';
import { sendCorpus } from './load.ts';
import { formatMegabytes, formatNumber, median, type Table } from './report.ts';
import { settle } from './settle.ts';
import type { YardstickCost } from './yardstick.ts';

/** A way to send a corpus. */
interface IngestCase {
  readonly name: string;
  readonly corpus: string;
  readonly protocol: 'http' | 'grpc';
}

const CASES: readonly IngestCase[] = [
  { name: 'http shop 512', corpus: 'shop', protocol: 'http' },
  { name: 'grpc shop 512', corpus: 'shop', protocol: 'grpc' },
  { name: 'http shop 10', corpus: 'shop-10', protocol: 'http' },
  { name: 'grpc shop 10', corpus: 'shop-10', protocol: 'grpc' },
  { name: 'http hostile', corpus: 'hostile', protocol: 'http' },
  { name: 'grpc hostile', corpus: 'hostile', protocol: 'grpc' },
];

/** Share of the corpus that may be left in the head when a run counts as settled: a slab is never full to the span. */
const LEFT_IN_HEAD = 0.06;

/** What one run of one case came to. */
interface IngestRun {
  /** CPU seconds for a million spans, until the last ack and until the store was quiet. */
  readonly acked: number;
  readonly settled: number;
  readonly spansPerSecond: number;
  readonly peakRssBytes: number;
  readonly idleRssBytes: number;
  /** Bytes of blocks for a span in them; NaN where the server does not say. */
  readonly blockBytes: number;
  readonly quiet: boolean;
  readonly refused: number;
}

/** CPU, speed, memory and block size of ingest, each round beside the yardstick. */
export async function benchIngest(context: BenchContext): Promise<Table[]> {
  const { options, corpora, yardstick, say } = context;
  const wanted = ({ name }: IngestCase): boolean =>
    options.cases.length === 0 || options.cases.some((prefix) => name.startsWith(prefix));
  const cases = CASES.filter(wanted);
  for (const { corpus } of cases) corpora.get(corpus);
  const runs = new Map<IngestCase, IngestRun[]>(cases.map((entry) => [entry, []]));
  const own: YardstickCost[] = [];
  const external: YardstickCost[] = [];
  for (let round = 0; round < options.rounds; round++) {
    own.push(await yardstick.measure(corpora.ofYardstick));
    say(`round ${round + 1}: yardstick ${formatNumber(own[round]!.sum)} CPU-s/M`);
    if (yardstick.hasExternal) {
      external.push(await yardstick.measureExternal(corpora.ofYardstick));
      say(`round ${round + 1}: external yardstick ${formatNumber(external[round]!.sum)} CPU-s/M`);
    }
    for (const entry of cases) {
      const run = await runCase(context, entry);
      runs.get(entry)!.push(run);
      const { acked, settled, spansPerSecond } = run;
      say(
        `round ${round + 1}: ${entry.name}: ${formatNumber(acked)} CPU-s/M to the last ack, ${formatNumber(settled)} settled, ${formatNumber(spansPerSecond)} spans/s`,
      );
    }
  }
  const tables = [ingestTable(runs, own, external), yardstickTable(own, external)];
  return tables;
}

async function runCase(context: BenchContext, entry: IngestCase): Promise<IngestRun> {
  const { corpora, meter, options } = context;
  const corpus = corpora.get(entry.corpus);
  return await withDirectory(context, (directory) =>
    withServer(context, directory, async (server) => {
      // The client should not collect in the middle what the last run left.
      globalThis.gc?.();
      const before = meter.read(server.pid).cpuSeconds;
      const result = await sendCorpus({
        corpusFile: corpus.file,
        protocol: entry.protocol,
        endpoint: entry.protocol === 'http' ? server.otlpHttp : server.otlpGrpc,
        workers: options.workers,
      });
      const acked = meter.read(server.pid).cpuSeconds;
      const settled =
        options.settleMs === 0
          ? { cpuSeconds: Number.NaN, quiet: false }
          : await settle(server, meter, {
              headSpans: corpus.truth.spans * LEFT_IN_HEAD,
              timeoutMs: options.settleMs,
            });
      const after = meter.read(server.pid);
      const figures = await server.figures();
      const blockBytes = figures.get('store.store_block_bytes') ?? Number.NaN;
      const perMillion = (seconds: number): number =>
        ((seconds - before) / result.ackedSpans) * 1e6;
      return {
        acked: perMillion(acked),
        settled: perMillion(settled.cpuSeconds),
        spansPerSecond: (result.ackedSpans / result.elapsedMs) * 1000,
        peakRssBytes: after.peakRssBytes,
        idleRssBytes: after.rssBytes,
        blockBytes: blockBytes / (figures.get('store.store_block_spans') ?? Number.NaN),
        quiet: settled.quiet,
        refused: result.refusedRequests,
      };
    }),
  );
}

function ingestTable(
  runs: ReadonlyMap<IngestCase, readonly IngestRun[]>,
  own: readonly YardstickCost[],
  external: readonly YardstickCost[],
): Table {
  const yardsticks = [own, ...(external.length === 0 ? [] : [external])];
  const rows = [...runs].map(([{ name }, list]) => {
    const middle = (pick: (run: IngestRun) => number): number => median(list.map(pick));
    const ratios = yardsticks.flatMap((costs) =>
      [(run: IngestRun) => run.acked, (run: IngestRun) => run.settled].map((pick) =>
        formatNumber(median(list.map((run, round) => pick(run) / costs[round]!.sum))),
      ),
    );
    return [
      name,
      formatNumber(middle((run) => run.acked)),
      formatNumber(middle((run) => run.settled)),
      ...ratios,
      formatNumber(middle((run) => run.spansPerSecond)),
      formatMegabytes(middle((run) => run.peakRssBytes)),
      formatMegabytes(middle((run) => run.idleRssBytes)),
      formatNumber(middle((run) => run.blockBytes)),
    ];
  });
  const all = [...runs.values()].flat();
  const notes: string[] = [];
  const restless = all.filter((run) => !run.quiet).length;
  if (restless > 0)
    notes.push(`${restless} of ${all.length} runs were not quiet when the waiting ended.`);
  const refused = all.reduce((sum, run) => sum + run.refused, 0);
  if (refused > 0) notes.push(`The server asked for another try ${refused} times.`);
  return {
    title:
      'Ingest: CPU seconds for a million spans, medians; × is the ratio to the yardstick of the same round',
    columns: [
      'sent as',
      'to last ack',
      'settled',
      ...yardsticks.flatMap((_, i) =>
        i === 0 ? ['ack ×', 'settled ×'] : ['ack × external', 'settled × external'],
      ),
      'spans/s',
      'peak RSS',
      'idle RSS',
      'block B/span',
    ],
    rows,
    notes,
  };
}

function yardstickTable(own: readonly YardstickCost[], external: readonly YardstickCost[]): Table {
  const row = (name: string, costs: readonly YardstickCost[]): string[] => [
    name,
    ...[
      (cost: YardstickCost) => cost.columns,
      (cost: YardstickCost) => cost.sink,
      (cost: YardstickCost) => cost.sum,
    ].map((pick) => formatNumber(median(costs.map(pick)))),
    costs.map(({ sum }) => formatNumber(sum)).join(' '),
  ];
  return {
    title: 'Yardstick: CPU seconds for a million spans of the shop, medians',
    columns: ['yardstick', 'columns', 'sink', 'sum', 'sum in each round'],
    rows: [row('own', own), ...(external.length === 0 ? [] : [row('external', external)])],
  };
}
