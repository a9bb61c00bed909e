// SPDX-License-Identifier: Apache-2.0
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { ColumnarStore } from '../server/src/storage/columnar/columnar-store.ts';
import { withServer, type BenchContext } from './bench-context.ts';
import { diskTable } from './disk-table.ts';
import {
  type Asked,
  ASKED_COLUMNS,
  askedRow,
  askOften,
  askOverHttp,
  describeAsked,
} from './query-asking.ts';
import { QueryClient } from './query-client.ts';
import { type QueryData, withQueryData } from './query-data.ts';
import type { QueryFacts } from './query-facts.ts';
import { withQueryLoad } from './query-load.ts';
import { createQuestions } from './query-questions.ts';
import { formatMegabytes, formatNumber, quantile, type Table } from './report.ts';
import type { ServerProcess } from './server-process.ts';
import { createStoreQuestions } from './store-questions.ts';

/** Answers that are counted, of code that is warm. */
const REPETITIONS = 1000;
const EACH = `ms, up to ${REPETITIONS.toLocaleString('en-US')} each or 10 s when code is warm, one after the other, 20 results`;
/** While spans come each is asked for the 10 s, in which a slab is sealed at least. */
const EACH_LOADED = 'ms, for 10 s each when code is warm, one after the other, 20 results';
/** Answers after a start: some, and some more. */
const SOME = 100;
const MORE = 500;

/** Disk, then questions to a server that was just started on a data directory with everything in blocks. */
export async function benchQuery(context: BenchContext): Promise<Table[]> {
  return await withQueryData(context, async (data) => [
    diskTable(data.directory, data.facts.spans, data.quiet),
    ...(context.options.load === 0
      ? [await askServer(context, data), await askAfterStart(context, data)]
      : [await askLoaded(context, data)]),
    await askStore(context, data),
  ]);
}

async function askServer(context: BenchContext, { directory, facts }: QueryData): Promise<Table> {
  return await withServer(context, directory, async (server) => ({
    title: `Questions over HTTP, ${EACH}`,
    ...(await askAll(context, server, facts, REPETITIONS)),
  }));
}

/** The same questions while spans come. */
async function askLoaded(context: BenchContext, data: QueryData): Promise<Table> {
  return await withQueryLoad(context, data, (directory, load) =>
    withServer(context, directory, async (server) => {
      const [table, spans] = await load.during(server, () =>
        askAll(context, server, load.facts, Infinity),
      );
      const [rate, all] = [context.options.load, spans].map((n) => n.toLocaleString('en-US'));
      const came = `${rate} spans a second came meanwhile, ${all} in all.`;
      return {
        title: `While spans come: Questions over HTTP, ${EACH_LOADED}`,
        ...table,
        notes: [came, ...table.notes],
      };
    }),
  );
}

/** @param repetitions answers that are counted, of each */
async function askAll(
  { meter, options, say }: BenchContext,
  server: ServerProcess,
  facts: QueryFacts,
  repetitions: number,
): Promise<Omit<Table, 'title'> & { notes: string[] }> {
  const questions = createQuestions(facts, options.seed);
  return await withClient(server, async (client) => {
    const asked: Asked[] = [];
    const before = meter.read(server.pid).cpuSeconds;
    for (const question of questions) {
      asked.push(await askOverHttp(client, question, repetitions));
      say(describeAsked(asked.at(-1)!));
    }
    const { cpuSeconds, rssBytes } = meter.read(server.pid);
    const firstMs = asked[0]!.cold[0]!;
    const sinceStart = formatNumber(server.readyMs + firstMs);
    return {
      columns: ASKED_COLUMNS,
      rows: [
        ['first answer after start: trace by id', sinceStart, '', '', '', ''],
        ...asked.map(askedRow),
      ],
      notes: [
        `The server was ready ${formatNumber(server.readyMs)} ms after it was started, and answered its first question ${formatNumber(firstMs)} ms later. RSS after the questions: ${formatMegabytes(rssBytes)}; CPU for all of them: ${formatNumber(cpuSeconds - before)} s.`,
      ],
    };
  });
}

/** Each kind of question to a server that was started for it. */
async function askAfterStart(
  context: BenchContext,
  { directory, facts }: QueryData,
): Promise<Table> {
  const rows: string[][] = [];
  for (const question of createQuestions(facts, context.options.seed)) {
    const { name, cold, warm } = await withServer(context, directory, (server) =>
      withClient(server, (client) => askOverHttp(client, question, MORE - SOME)),
    );
    const of = (times: readonly number[]): number[] => [0.5, 0.95].map((q) => quantile(times, q));
    const all = [...cold, ...warm];
    const figures = [cold[0]!, ...of(cold), ...of(all)].map(formatNumber);
    rows.push([name, ...figures, String(all.length)]);
    context.say(`${name}, after a start: ${figures.join(', ')} ms`);
  }
  return {
    title: `After a start: the first answers over HTTP, ms, each kind to a server that was started for it, as soon as it was ready; up to ${MORE}`,
    columns: [
      'question',
      'first',
      `p50 of ${SOME}`,
      `p95 of ${SOME}`,
      'p50 of all',
      'p95 of all',
      'asked',
    ],
    rows,
  };
}

async function withClient<T>(
  server: ServerProcess,
  work: (client: QueryClient) => Promise<T>,
): Promise<T> {
  const client = new QueryClient(server.query);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** Asks the store itself, in this process, what no parameter of the API asks. */
async function askStore(context: BenchContext, { directory, facts }: QueryData): Promise<Table> {
  const store = new ColumnarStore({ dir: directory, logger: SILENT });
  await store.start();
  try {
    const asked: Asked[] = [];
    for (const question of createStoreQuestions(facts, context.options.seed)) {
      const askOnce = async (): Promise<{ ms: number; size: number }> => {
        const startMs = performance.now();
        const { traces } = await store.findTraces(DEFAULT_TENANT, question.query());
        return { ms: performance.now() - startMs, size: traces.length };
      };
      const size = (most: number): string => `${most} traces`;
      asked.push(await askOften(question.name, askOnce, { warm: REPETITIONS, size }));
      context.say(describeAsked(asked.at(-1)!));
    }
    return {
      title: `Questions over all time to the store itself, ${EACH}`,
      columns: ASKED_COLUMNS,
      rows: asked.map(askedRow),
    };
  } finally {
    await store.shutdown();
  }
}

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };
