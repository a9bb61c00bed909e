// SPDX-License-Identifier: Apache-2.0
import type { CorpusRequest } from '../server/src/cli/tracegen/corpus.ts';
import { readCorpusFile } from '../server/src/cli/tracegen/corpus-file.ts';
import { GrpcTransport } from '../server/src/cli/tracegen/grpc-transport.ts';
import { HttpTransport } from '../server/src/cli/tracegen/http-transport.ts';
import { LoadSender, type LoadResult } from '../server/src/cli/tracegen/load-sender.ts';
import { Random } from '../server/src/cli/tracegen/random.ts';

/** Where and how requests are sent. */
export interface LoadTarget {
  readonly protocol: 'http' | 'grpc';
  readonly endpoint: string;
  readonly workers: number;
  /** Where it is not OTLP: the content type over HTTP, the method's path over gRPC. */
  readonly contentType?: string;
  readonly method?: string;
}

/** How a corpus is sent. */
interface LoadRun extends LoadTarget {
  readonly corpusFile: string;
  /** Spans a second; undefined: as fast as they are taken. */
  readonly rate?: number;
  /** Leave out this many requests at the beginning. */
  readonly skip?: number;
  /** Only this many requests. */
  readonly limit?: number;
}

/** Sends a corpus from this process. @throws {Error} when anything was lost or rejected */
export async function sendCorpus(run: LoadRun): Promise<LoadResult> {
  const requests = readCorpusFile(run.corpusFile).drop(run.skip ?? 0);
  return await sendRequests(
    run.limit === undefined ? requests : requests.take(run.limit),
    run,
    run.rate,
  );
}

/**
 * Sends requests from this process.
 * @param rate spans a second
 * @throws {Error} when anything was lost or rejected
 */
export async function sendRequests(
  requests: Iterable<CorpusRequest>,
  target: LoadTarget,
  rate?: number,
): Promise<LoadResult> {
  const { protocol, workers } = target;
  const options = {
    ...target,
    gzip: false,
    timeoutMs: 60_000,
    headers: {},
    tenantHeader: 'x-scope-orgid',
  };
  const transport = protocol === 'grpc' ? new GrpcTransport(options) : new HttpTransport(options);
  try {
    const sender = new LoadSender({
      transport,
      workers,
      rate,
      retryForMs: 120_000,
      random: new Random(1),
    });
    const result = await sender.run(requests);
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
