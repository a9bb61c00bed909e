// SPDX-License-Identifier: Apache-2.0
import { readCorpusFile } from '../server/src/cli/tracegen/corpus-file.ts';
import { GrpcTransport } from '../server/src/cli/tracegen/grpc-transport.ts';
import { HttpTransport } from '../server/src/cli/tracegen/http-transport.ts';
import { LoadSender, type LoadResult } from '../server/src/cli/tracegen/load-sender.ts';
import { Random } from '../server/src/cli/tracegen/random.ts';

/** How a corpus is sent. */
export interface LoadRun {
  readonly corpusFile: string;
  readonly protocol: 'http' | 'grpc';
  readonly endpoint: string;
  readonly workers: number;
  /** Spans a second; undefined: as fast as they are taken. */
  readonly rate?: number;
  /** Leave out this many requests at the beginning. */
  readonly skip?: number;
  /** Only this many requests. */
  readonly limit?: number;
}

/** Sends a corpus from this process. @throws {Error} when anything was lost or rejected */
export async function sendCorpus(run: LoadRun): Promise<LoadResult> {
  const options = {
    endpoint: run.endpoint,
    workers: run.workers,
    gzip: false,
    timeoutMs: 60_000,
    headers: {},
    tenantHeader: 'x-scope-orgid',
  };
  const transport =
    run.protocol === 'grpc' ? new GrpcTransport(options) : new HttpTransport(options);
  try {
    const sender = new LoadSender({
      transport,
      workers: run.workers,
      rate: run.rate,
      retryForMs: 120_000,
      random: new Random(1),
    });
    const requests = readCorpusFile(run.corpusFile).drop(run.skip ?? 0);
    const result = await sender.run(run.limit === undefined ? requests : requests.take(run.limit));
    if (result.lostSpans + result.rejectedSpans > 0) {
      const reasons = JSON.stringify(Object.fromEntries(result.reasons));
      throw new Error(
        `${result.lostSpans} spans were lost, ${result.rejectedSpans} rejected: ${reasons}`,
      );
    }
    return result;
  } finally {
    transport.close();
  }
}
