// SPDX-License-Identifier: Apache-2.0
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createCorpus, type CorpusRequest } from '../server/src/cli/tracegen/corpus.ts';
import {
  readCorpusFile,
  tenantsFile,
  tracesFile,
  writeCorpusFile,
} from '../server/src/cli/tracegen/corpus-file.ts';
import type { BenchContext } from './bench-context.ts';
import { sendRequests } from './load.ts';
import type { QueryData } from './query-data.ts';
import type { QueryFacts } from './query-facts.ts';
import type { ServerProcess } from './server-process.ts';

/** Questions take less than this; spans come all the time. */
const LOAD_SECONDS = 300;

/** Spans that are sent while questions are asked. */
export interface QueryLoad {
  /** Of the questions: their window reaches to the end of the spans that come. */
  readonly facts: QueryFacts;
  /** Sends until the work is done. @returns what the work returned, and the spans that came meanwhile */
  during<T>(server: ServerProcess, work: () => Promise<T>): Promise<[result: T, spans: number]>;
}

/** Runs something with a copy of a data directory, and spans for it that follow those it has. */
export async function withQueryLoad<T>(
  { options, say }: BenchContext,
  { directory, facts }: QueryData,
  work: (directory: string, load: QueryLoad) => Promise<T>,
): Promise<T> {
  const copy = join(options.directory, 'loaded');
  const file = join(options.directory, 'load.bin');
  const spans = options.load * LOAD_SECONDS;
  say(`${spans} spans are made, to be sent meanwhile`);
  const lastMicros = facts.lastMicros + LOAD_SECONDS * 1_000_000;
  writeCorpusFile(
    file,
    createCorpus({
      profile: 'shop',
      spans,
      // Other traces than those that are there.
      seed: options.seed + 2,
      nowUnixNano: BigInt(lastMicros) * 1000n,
      windowMs: LOAD_SECONDS * 1000,
    }),
  );
  try {
    cpSync(directory, copy, { recursive: true });
    return await work(copy, {
      facts: { ...facts, lastMicros },
      during: (server, asking) => sendDuring(file, options.load, server, asking),
    });
  } finally {
    for (const path of [copy, file, tenantsFile(file), tracesFile(file)])
      rmSync(path, { recursive: true, force: true });
  }
}

async function sendDuring<T>(
  file: string,
  rate: number,
  server: ServerProcess,
  work: () => Promise<T>,
): Promise<[T, number]> {
  let isDone = false;
  function* untilDone(): Generator<CorpusRequest> {
    for (const request of readCorpusFile(file)) {
      if (isDone) return;
      yield request;
    }
    throw new Error(`the questions took longer than ${LOAD_SECONDS} s, for which there were spans`);
  }
  const sending = sendRequests(
    untilDone(),
    { protocol: 'http', endpoint: server.otlpHttp, workers: 2 },
    rate,
  );
  const asking = work().finally(() => {
    isDone = true;
  });
  const [result, { ackedSpans }] = await Promise.all([asking, sending]);
  return [result, ackedSpans];
}
