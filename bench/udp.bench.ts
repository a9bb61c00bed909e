// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { encodeJaegerDatagram } from '../server/src/cli/tracegen/jaeger-datagram.ts';
import { SLAB_ROWS } from '../server/src/storage/columnar/head/slab.ts';
import { withDirectory, withServer, type BenchContext } from './bench-context.ts';
import { CLIENT_CORE, firstJson, pinOtherThreads, startNode, stopChild } from './child-process.ts';
import { Corpora } from './corpora.ts';
import { formatNumber, median, type Table } from './report.ts';
import type { ServerProcess } from './server-process.ts';
import { settle } from './settle.ts';
import { WireCorpus } from './wire-corpus.ts';

const CLIENT = fileURLToPath(new URL('udp-client.ts', import.meta.url));
const LISTENER = 'jaeger_udp_thrift_compact';

const DATAGRAM_SPANS = 10;
/** Spans a second of each step. */
const RATES = [50_000, 75_000, 100_000, 125_000] as const;
/** The queue takes a second of the greatest load, so that a step is to be longer. */
const STEP_SECONDS = 5;
/** Before what is measured: code is compiled, also that of the worker that seals, which begins with the first full slab. */
const WARM_UP_SECONDS = 6;
const WARM_UP_RATE = 50_000;
const WARM_UP_SPANS = WARM_UP_RATE * WARM_UP_SECONDS;
const SETTLE_MS = 30_000;

/** No span is sent twice to a server: copies cost whoever seals them more. 5 % are in datagrams that are left out as they are not full. */
const SENT_SHARE = 0.95;
const CORPUS_SPANS = Math.ceil((WARM_UP_SPANS + Math.max(...RATES) * STEP_SECONDS) / SENT_SHARE);

const POLL_MS = 100;
const MAX_POLLS = 100;

/** What one step came to; spans but where it says otherwise. */
interface UdpRun {
  readonly offeredPerSecond: number;
  readonly offered: number;
  readonly taken: number;
  readonly droppedByQueue: number;
  readonly droppedByKernel: number;
  /** CPU of the receiving thread for a span taken, µs. */
  readonly threadMicros: number;
  /** Its part of a core. */
  readonly threadShare: number;
}

/** What datagrams of Jaeger's clients cost and from which rate on they are lost. */
export async function benchUdp(context: BenchContext): Promise<Table> {
  const { options, say } = context;
  const directory = join(options.directory, 'udp');
  using corpora = new Corpora(directory, Math.max(options.spans, CORPUS_SPANS), options.seed);
  const { file } = corpora.get('shop');
  const corpus = WireCorpus.write(
    directory,
    file,
    [encodeJaegerDatagram],
    DATAGRAM_SPANS,
    DATAGRAM_SPANS,
  );
  const runs = new Map<number, UdpRun[]>(RATES.map((rate) => [rate, []]));
  try {
    for (let round = 0; round < options.rounds; round++) {
      for (const rate of RATES) {
        const run = await runStep(context, corpus.file(0), rate);
        runs.get(rate)!.push(run);
        say(
          `round ${round + 1}: ${formatNumber(run.offeredPerSecond)} spans/s: ${run.droppedByQueue} dropped by the queue, ${run.droppedByKernel} by the kernel, ${formatNumber(run.threadMicros)} µs a span`,
        );
      }
    }
  } finally {
    corpus.remove();
  }
  return {
    title: `UDP, datagrams of ${DATAGRAM_SPANS} spans in Thrift's compact protocol, ${STEP_SECONDS} s at each rate: spans, medians`,
    columns: [
      'spans/s to send',
      'sent/s',
      'sent',
      'taken',
      'dropped by queue',
      'dropped by kernel',
      'main thread µs/span',
      'of a core',
    ],
    rows: [...runs].map(([rate, list]) => [
      rate.toLocaleString('en-US'),
      ...(
        [
          'offeredPerSecond',
          'offered',
          'taken',
          'droppedByQueue',
          'droppedByKernel',
          'threadMicros',
          'threadShare',
        ] as const
      ).map((key) => formatNumber(median(list.map((run) => run[key])))),
    ]),
  };
}

async function runStep(context: BenchContext, file: string, rate: number): Promise<UdpRun> {
  const { meter, pinned } = context;
  return await withDirectory(context, (directory) =>
    withServer(context, directory, async (server) => {
      using _ = pinned ? pinOtherThreads(server.pid) : undefined;
      const address = await server.address(LISTENER);
      const send = async (
        spansPerSecond: number,
        seconds: number,
        firstSpan: number,
      ): Promise<Sent> => {
        const port = address.slice(address.lastIndexOf(':') + 1);
        const numbers = [spansPerSecond / DATAGRAM_SPANS, seconds, firstSpan / DATAGRAM_SPANS];
        const child = startNode(
          [CLIENT, file, port, ...numbers.map(String)],
          pinned,
          'pipe',
          CLIENT_CORE,
        );
        // It prints one line of ours.
        const sent = (await firstJson(child)) as Sent;
        await stopChild(child);
        return sent;
      };
      await send(WARM_UP_RATE, WARM_UP_SECONDS, 0);
      await settle(server, meter, { headSpans: SLAB_ROWS, timeoutMs: SETTLE_MS });
      const before = await untilRead(server);
      const threadBefore = meter.mainThreadSeconds(server.pid);
      const { datagrams, elapsedMs } = await send(rate, STEP_SECONDS, WARM_UP_SPANS);
      const after = await untilRead(server);
      const threadSeconds = meter.mainThreadSeconds(server.pid) - threadBefore;
      const taken = after.acceptedSpans - before.acceptedSpans;
      return {
        offeredPerSecond: (datagrams * DATAGRAM_SPANS * 1000) / elapsedMs,
        offered: datagrams * DATAGRAM_SPANS,
        taken,
        droppedByQueue: (after.refused - before.refused) * DATAGRAM_SPANS,
        droppedByKernel: (after.kernelDrops - before.kernelDrops) * DATAGRAM_SPANS,
        threadMicros: (threadSeconds / taken) * 1e6,
        threadShare: (threadSeconds * 1000) / elapsedMs,
      };
    }),
  );
}

/** What the client prints. */
interface Sent {
  readonly datagrams: number;
  readonly elapsedMs: number;
}

/** What the receiver has counted; refused are datagrams. */
interface UdpFigures {
  readonly requests: number;
  readonly acceptedSpans: number;
  readonly refused: number;
  readonly kernelDrops: number;
}

/** Waits until the receiver has got through all that was sent. */
async function untilRead(server: ServerProcess): Promise<UdpFigures> {
  let last = await readFigures(server);
  for (let polls = 0; polls < MAX_POLLS; polls++) {
    await sleep(POLL_MS);
    const now = await readFigures(server);
    if (now.queued === 0 && now.requests === last.requests) return now;
    last = now;
  }
  throw new Error('the receiver does not get through its queue');
}

async function readFigures(server: ServerProcess): Promise<UdpFigures & { queued: number }> {
  const figures = await server.receiverFigures(LISTENER);
  const get = (name: string): number => figures.get(name) ?? Number.NaN;
  let refused = 0;
  for (const [name, count] of figures) if (name.startsWith('refusedRequests.')) refused += count;
  return {
    requests: get('requests'),
    acceptedSpans: get('acceptedSpans'),
    refused,
    kernelDrops: get('packets.kernelDrops'),
    queued: get('packets.queued'),
  };
}
