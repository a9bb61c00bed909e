// SPDX-License-Identifier: Apache-2.0
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { ColumnarStore } from '../server/src/storage/columnar/columnar-store.ts';
import { withServer, type BenchContext } from './bench-context.ts';
import { diskTable } from './disk-table.ts';
import { QueryClient } from './query-client.ts';
import { type QueryData, withQueryData } from './query-data.ts';
import type { QueryFacts } from './query-facts.ts';
import { withQueryLoad } from './query-load.ts';
import { createQuestions, resultsIn, type Question } from './query-questions.ts';
import { formatMegabytes, formatNumber, quantile, type Table } from './report.ts';
import type { ServerProcess } from './server-process.ts';
import { createStoreQuestions } from './store-questions.ts';

const REPETITIONS = 100;
/** Not counted: the code is compiled meanwhile. */
const WARM_UP = 100;
/** For questions that take long, either ends after this time, which gives some tens of them. */
const ENOUGH_MS = 10_000;
const EACH = `ms, up to ${REPETITIONS} each after as many to warm up, one after the other, 20 results`;

/** One kind of question: its first answer, the others, and how large the largest was. */
interface Asked {
  readonly name: string;
  readonly firstMs: number;
  readonly times: readonly number[];
  readonly answer: string;
}

/** Disk, then questions to a server that was just started on a data directory with everything in blocks. */
export async function benchQuery(context: BenchContext): Promise<Table[]> {
  return await withQueryData(context, async (data) => [
    diskTable(data.directory, data.facts.spans, data.quiet),
    await (context.options.load === 0 ? askServer(context, data) : askLoaded(context, data)),
    await askStore(context, data),
  ]);
}

async function askServer(context: BenchContext, { directory, facts }: QueryData): Promise<Table> {
  return await withServer(context, directory, (server) => askAll(context, server, facts));
}

/** The same questions while spans come. */
async function askLoaded(context: BenchContext, data: QueryData): Promise<Table> {
  return await withQueryLoad(context, data, (directory, load) =>
    withServer(context, directory, async (server) => {
      const [table, spans] = await load.during(server, () => askAll(context, server, load.facts));
      const [rate, all] = [context.options.load, spans].map((n) => n.toLocaleString('en-US'));
      const came = `${rate} spans a second came meanwhile, ${all} in all.`;
      return {
        ...table,
        title: `While spans come: ${table.title}`,
        notes: [came, ...(table.notes ?? [])],
      };
    }),
  );
}

async function askAll(
  { meter, options, say }: BenchContext,
  server: ServerProcess,
  facts: QueryFacts,
): Promise<Table> {
  const questions = createQuestions(facts, options.seed);
  const client = new QueryClient(server.query);
  try {
    const asked: Asked[] = [];
    const before = meter.read(server.pid).cpuSeconds;
    for (const question of questions) {
      asked.push(await ask(client, question));
      say(describe(asked.at(-1)!));
    }
    const { cpuSeconds, rssBytes } = meter.read(server.pid);
    const firstMs = asked[0]!.firstMs;
    return {
      title: `Questions over HTTP, ${EACH}`,
      columns: ['question', 'first', 'p50', 'p95', 'answer'],
      rows: [
        [
          'first answer after start: trace by id',
          formatNumber(server.readyMs + firstMs),
          '',
          '',
          '',
        ],
        ...asked.map(toRow),
      ],
      notes: [
        `The server was ready ${formatNumber(server.readyMs)} ms after it was started, and answered its first question ${formatNumber(firstMs)} ms later. RSS after the questions: ${formatMegabytes(rssBytes)}; CPU for all of them: ${formatNumber(cpuSeconds - before)} s.`,
      ],
    };
  } finally {
    client.close();
  }
}

async function ask(client: QueryClient, question: Question): Promise<Asked> {
  let bytes = 0;
  const askOnce = async (): Promise<number> => {
    const path = question.path();
    const { status, body, ms } = await client.get(path);
    if (status !== 200)
      throw new Error(`${path} was answered with ${status}: ${body.slice(0, 200)}`);
    const results = resultsIn(body);
    // A fast wrong answer is no result.
    if (results < question.results)
      throw new Error(`${path} has ${results} results, not ${question.results}`);
    bytes = Math.max(bytes, body.length);
    return ms;
  };
  return {
    name: question.name,
    ...(await askOften(askOnce)),
    answer: `${formatNumber(bytes / 1000)} kB`,
  };
}

async function askOften(askOnce: () => Promise<number>): Promise<Pick<Asked, 'firstMs' | 'times'>> {
  const warmUp = await repeat(WARM_UP, askOnce);
  return { firstMs: warmUp[0]!, times: await repeat(REPETITIONS, askOnce) };
}

/** Asks so often, or until that has taken long enough; returns what each took. */
async function repeat(count: number, askOnce: () => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  for (let sumMs = 0; times.length < count && sumMs < ENOUGH_MS; sumMs += times.at(-1)!) {
    times.push(await askOnce());
  }
  return times;
}

/** Asks the store itself, in this process, what no parameter of the API asks. */
async function askStore(context: BenchContext, { directory, facts }: QueryData): Promise<Table> {
  const store = new ColumnarStore({ dir: directory, logger: SILENT });
  await store.start();
  try {
    const asked: Asked[] = [];
    for (const { name, query } of createStoreQuestions(facts, context.options.seed)) {
      let most = 0;
      const times = await askOften(async () => {
        const startMs = performance.now();
        const { traces } = await store.findTraces(DEFAULT_TENANT, query());
        most = Math.max(most, traces.length);
        return performance.now() - startMs;
      });
      asked.push({ name, ...times, answer: `${most} traces` });
      context.say(describe(asked.at(-1)!));
    }
    return {
      title: `Questions over all time to the store itself, ${EACH}`,
      columns: ['question', 'first', 'p50', 'p95', 'answer'],
      rows: asked.map(toRow),
    };
  } finally {
    await store.shutdown();
  }
}

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

function toRow({ name, firstMs, times, answer }: Asked): string[] {
  return [
    name,
    ...[firstMs, quantile(times, 0.5), quantile(times, 0.95)].map(formatNumber),
    answer,
  ];
}

function describe({ name, times }: Asked): string {
  return `${name}: p50 ${formatNumber(quantile(times, 0.5))} ms, p95 ${formatNumber(quantile(times, 0.95))} ms`;
}
