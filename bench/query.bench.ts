// SPDX-License-Identifier: Apache-2.0
import { withDirectory, withServer, type BenchContext } from './bench-context.ts';
import { diskTable } from './disk-table.ts';
import { sendCorpus } from './load.ts';
import { QueryClient } from './query-client.ts';
import { createQuestions, type Question } from './query-questions.ts';
import { formatMegabytes, formatNumber, quantile, type Table } from './report.ts';
import type { ServerProcess } from './server-process.ts';
import { settle } from './settle.ts';

const REPETITIONS = 50;
const WARM_UP = 10;

/** Times of one question, ms. */
interface Times {
  readonly first: number;
  readonly p50: number;
  readonly p95: number;
  /** Size of the largest answer. */
  readonly bytes: number;
}

/** Disk, then questions to a server that has been running and to one that was just started. */
export async function benchQuery(context: BenchContext): Promise<Table[]> {
  const { corpora, options, meter, say } = context;
  const corpus = corpora.get('shop');
  const questions = createQuestions(corpus.truth, options.seed);
  return await withDirectory(context, async (directory) => {
    const running = await withServer(context, directory, async (server) => {
      await sendCorpus({
        corpusFile: corpus.file,
        protocol: 'http',
        endpoint: server.otlpHttp,
        workers: options.workers,
      });
      const timeoutMs = Math.max(options.settleMs, 1000);
      const { quiet } = await settle(server, meter, { headSpans: 0, timeoutMs });
      const disk = diskTable(directory, corpus.truth.spans, quiet);
      const times = await askAll(server, questions, say);
      return { disk, times, rssBytes: meter.read(server.pid).rssBytes };
    });
    const restarted = await withServer(context, directory, async (server) => {
      const first = await ask(server, questions[0]!, 1, 0);
      const times = await askAll(server, questions, say);
      return { readyMs: server.readyMs, firstMs: first.first, times };
    });
    const rows = questions.map(({ name }, i) => {
      const warm = running.times[i]!;
      const cold = restarted.times[i]!;
      return [
        name,
        ...[warm.p50, warm.p95, cold.first, cold.p50, cold.p95].map(formatNumber),
        `${formatNumber(warm.bytes / 1000)} kB`,
      ];
    });
    return [
      running.disk,
      {
        title: `Questions over HTTP, ms, ${REPETITIONS} each, one after the other, 20 results`,
        columns: [
          'question',
          'p50',
          'p95',
          'first after restart',
          'then p50',
          'then p95',
          'answer',
        ],
        rows,
        notes: [
          `After a restart the server was ready in ${formatNumber(restarted.readyMs)} ms and answered the first trace by id ${formatNumber(restarted.firstMs)} ms later. RSS after the questions: ${formatMegabytes(running.rssBytes)}.`,
        ],
      },
    ];
  });
}

async function askAll(
  server: ServerProcess,
  questions: readonly Question[],
  say: (text: string) => void,
): Promise<Times[]> {
  const times: Times[] = [];
  for (const question of questions) {
    const result = await ask(server, question, REPETITIONS, WARM_UP);
    say(`${question.name}: p50 ${formatNumber(result.p50)} ms, p95 ${formatNumber(result.p95)} ms`);
    times.push(result);
  }
  return times;
}

/** Asks `warmUp` times without counting, then `count` times. */
async function ask(
  server: ServerProcess,
  question: Question,
  count: number,
  warmUp: number,
): Promise<Times> {
  const client = new QueryClient(server.query);
  const times: number[] = [];
  let first = Number.NaN;
  let bytes = 0;
  try {
    for (let i = 0; i < warmUp + count; i++) {
      const path = question.path();
      const { status, body, ms } = await client.get(path);
      if (status !== 200)
        throw new Error(`${path} was answered with ${status}: ${body.slice(0, 200)}`);
      checkAnswer(question, path, body);
      if (i === 0) first = ms;
      if (i >= warmUp) times.push(ms);
      bytes = Math.max(bytes, body.length);
    }
  } finally {
    client.close();
  }
  return { first, p50: quantile(times, 0.5), p95: quantile(times, 0.95), bytes };
}

/** A fast wrong answer is no result. */
function checkAnswer(question: Question, path: string, body: string): void {
  const answer: unknown = JSON.parse(body);
  const data =
    typeof answer === 'object' && answer !== null && 'data' in answer ? answer.data : undefined;
  if (!Array.isArray(data) || data.length < question.traces) {
    throw new Error(
      `${path} has ${Array.isArray(data) ? data.length : 'no'} results, not ${question.traces}`,
    );
  }
}
