// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withServer, type BenchContext } from './bench-context.ts';
import { sendCorpus } from './load.ts';
import { factsOf, readFacts, writeFacts, type QueryFacts } from './query-facts.ts';
import { settle } from './settle.ts';

/** A data directory that holds a whole corpus, sealed and merged. */
export interface QueryData {
  readonly directory: string;
  readonly facts: QueryFacts;
  /** False when the store still had something to do when the waiting ended. */
  readonly quiet: boolean;
}

/** Runs something with a data directory full of spans: made now, or one that an earlier run has kept. */
export async function withQueryData<T>(
  context: BenchContext,
  work: (data: QueryData) => Promise<T>,
): Promise<T> {
  const { options, say } = context;
  const home = join(options.directory, `query-${options.spans}-${options.seed}`);
  // Written last: without it the directory is not whole.
  const factsFile = join(home, 'facts.json');
  const directory = join(home, 'data');
  if (options.keep && existsSync(factsFile)) {
    say(`${home} is used again`);
    return await work({ directory, facts: readFacts(factsFile), quiet: true });
  }
  rmSync(home, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  try {
    const data = await fill(context, directory);
    if (options.keep && data.quiet) writeFacts(factsFile, data.facts);
    return await work(data);
  } finally {
    if (!options.keep) rmSync(home, { recursive: true, force: true });
  }
}

async function fill(context: BenchContext, directory: string): Promise<QueryData> {
  const { corpora, meter, options, say } = context;
  const corpus = corpora.get('shop');
  say(`${corpus.truth.spans} spans are sent`);
  return await withServer(context, directory, async (server) => {
    await sendCorpus({
      corpusFile: corpus.file,
      protocol: 'http',
      endpoint: server.otlpHttp,
      workers: options.workers,
    });
    const timeoutMs = Math.max(options.settleMs, 1000);
    const { quiet } = await settle(server, meter, { headSpans: 0, timeoutMs });
    return { directory, facts: factsOf(corpus.truth), quiet };
  });
}
