// SPDX-License-Identifier: Apache-2.0
import { withDirectory, withServer, type BenchContext } from './bench-context.ts';
import { sendRequests } from './load.ts';
import { formatNumber, median, type Table } from './report.ts';
import { WireCorpus } from './wire-corpus.ts';
import { WIRE_FORMATS } from './wire-formats.ts';

const REQUEST_SPANS = 512;

/** CPU seconds for a million spans, until the last ack. */
interface WireRun {
  readonly process: number;
  /** Of the main thread, which receives and decodes. */
  readonly mainThread: number;
  readonly bodyBytes: number;
}

/** What a span costs in each wire format, beside OTLP's protobuf of the same round. */
export async function benchWires(context: BenchContext): Promise<Table> {
  const { options, corpora, say } = context;
  const encoders = WIRE_FORMATS.map(({ encode }) => encode);
  const { file } = corpora.get('shop');
  const corpus = WireCorpus.write(options.directory, file, encoders, REQUEST_SPANS);
  const runs: WireRun[][] = WIRE_FORMATS.map(() => []);
  try {
    for (let round = 0; round < options.rounds; round++) {
      for (const [i, { name }] of WIRE_FORMATS.entries()) {
        const run = await runFormat(context, corpus, i);
        runs[i]!.push(run);
        const ratio = run.process / runs[0]![round]!.process;
        say(
          `round ${round + 1}: ${name}: ${formatNumber(run.process)} CPU-s/M, ${formatNumber(ratio)} × OTLP`,
        );
      }
    }
  } finally {
    corpus.remove();
  }
  return {
    title: `Wire formats, requests of up to ${REQUEST_SPANS} spans of one process: CPU seconds for a million spans to the last ack, medians; × is the ratio to OTLP protobuf of the same round`,
    columns: ['sent as', 'process', '×', 'main thread', '×', 'body B/span'],
    rows: WIRE_FORMATS.map(({ name }, i) => {
      const list = runs[i]!;
      const figures = (['process', 'mainThread'] as const).flatMap((part) => [
        median(list.map((run) => run[part])),
        median(list.map((run, round) => run[part] / runs[0]![round]![part])),
      ]);
      return [name, ...[...figures, list[0]!.bodyBytes].map(formatNumber)];
    }),
  };
}

async function runFormat(
  context: BenchContext,
  corpus: WireCorpus,
  index: number,
): Promise<WireRun> {
  const { meter, options } = context;
  const { listener, path, target } = WIRE_FORMATS[index]!;
  return await withDirectory(context, (directory) =>
    withServer(context, directory, async (server) => {
      const endpoint = `${await server.address(listener)}${path}`;
      globalThis.gc?.();
      const before = [meter.read(server.pid).cpuSeconds, meter.mainThreadSeconds(server.pid)];
      const result = await sendRequests(corpus.requests(index), {
        ...target,
        endpoint,
        workers: options.workers,
      });
      const after = [meter.read(server.pid).cpuSeconds, meter.mainThreadSeconds(server.pid)];
      const [process, mainThread] = after.map(
        (seconds, i) => ((seconds - before[i]!) / result.ackedSpans) * 1e6,
      );
      return {
        process: process!,
        mainThread: mainThread!,
        bodyBytes: result.sentBytes / result.sentSpans,
      };
    }),
  );
}
