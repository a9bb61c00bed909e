// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import { EXIT, UsageError } from '#cli/cli-error.ts';
import { createCorpus, type CorpusOptions, type CorpusRequest } from './corpus.ts';
import { readCorpusFile, writeCorpusFile } from './corpus-file.ts';
import { GrpcTransport } from './grpc-transport.ts';
import { HttpTransport } from './http-transport.ts';
import { formatProgress, formatResult, resultJson } from './load-report.ts';
import { LoadSender } from './load-sender.ts';
import type { LoadTransport } from './load-transport.ts';
import { Random } from './random.ts';
import { UdpTransport } from './udp-transport.ts';
import { TRACEGEN_HELP, parseTracegenOptions, type TracegenOptions } from './tracegen-options.ts';

/** Where the command writes, and what ends it early. */
export interface TracegenSurroundings {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether progress may overwrite its own line. */
  readonly terminal: boolean;
  readonly signal?: AbortSignal;
}

/** Traces of a live run start this long before now, so that none of them ends in the future. */
const LAG_MS = 10_000;
const PROGRESS_MS = 1000;

/**
 * Runs `spoor tracegen`.
 * @param argv the words after the command
 * @returns the exit code: 0 when every span was acknowledged
 * @throws {UsageError} the command line is wrong
 */
export async function runTracegen(
  argv: readonly string[],
  surroundings?: TracegenSurroundings,
): Promise<number> {
  const options = parseTracegenOptions(argv);
  if (surroundings !== undefined) return await run(options, surroundings);
  const interrupted = new AbortController();
  const stop = (): void => interrupted.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    return await run(options, {
      out: (text) => process.stdout.write(text),
      err: (text) => process.stderr.write(text),
      terminal: process.stderr.isTTY,
      signal: interrupted.signal,
    });
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

async function run(options: TracegenOptions, surroundings: TracegenSurroundings): Promise<number> {
  if (options.help) {
    surroundings.out(TRACEGEN_HELP);
    return EXIT.ok;
  }
  try {
    return options.out === undefined
      ? await send(options, surroundings)
      : write(options, options.out, surroundings);
  } catch (error) {
    // What the options say wrongly shows only here: an endpoint, a file.
    if (error instanceof SpoorError && error.code === 'invalid_argument') {
      throw new UsageError(`tracegen: ${error.message}`);
    }
    if (error instanceof Error && (error instanceof SpoorError || 'code' in error)) {
      surroundings.err(`spoor: tracegen: ${error.message}\n`);
      return EXIT.failed;
    }
    throw error;
  }
}

function write(options: TracegenOptions, path: string, surroundings: TracegenSurroundings): number {
  const truth = writeCorpusFile(path, createCorpus(corpusOptions(options, undefined)));
  const { spans, sentSpans, requests, bytes, errors, traces } = truth;
  if (options.json) {
    const counts = { spans, sentSpans, requests, bytes, errors, traces: traces.length };
    surroundings.out(`${JSON.stringify(counts)}\n`);
  } else {
    surroundings.out(
      `${path}: ${spans} spans of ${traces.length} traces, ${errors} with errors; ` +
        `${sentSpans} spans in ${requests} requests, ${(bytes / sentSpans).toFixed(0)} bytes a span\n`,
    );
  }
  return EXIT.ok;
}

async function send(options: TracegenOptions, surroundings: TracegenSurroundings): Promise<number> {
  const { out, err, terminal, signal } = surroundings;
  const startMs = performance.now();
  const { durationMs } = options;
  const over = (): boolean =>
    signal?.aborted === true ||
    (durationMs !== undefined && performance.now() - startMs >= durationMs);
  const transport = createTransport(options);
  const sender = new LoadSender({
    transport,
    workers: options.workers,
    rate: options.rate,
    retryForMs: options.retryForMs,
    random: new Random(options.seed + 1),
    signal,
  });
  const progress = setInterval(() => {
    const line = formatProgress(sender.counts, sender.latency, performance.now() - startMs);
    err(terminal ? `\r\u001b[K${line}` : `${line}\n`);
  }, PROGRESS_MS);
  try {
    const result = await sender.run(requestsOf(options, over));
    if (terminal) err('\r\u001b[K');
    out(options.json ? `${resultJson(result)}\n` : formatResult(result));
    return result.lostSpans + result.rejectedSpans > 0 ? EXIT.failed : EXIT.ok;
  } finally {
    clearInterval(progress);
    transport.close();
  }
}

function requestsOf(options: TracegenOptions, over: () => boolean): Iterable<CorpusRequest> {
  if (options.in !== undefined) return until(readCorpusFile(options.in), over);
  return createCorpus(corpusOptions(options, over));
}

/** The requests until it is over. */
function* until(requests: Iterable<CorpusRequest>, over: () => boolean): Generator<CorpusRequest> {
  for (const request of requests) {
    if (over()) return;
    yield request;
  }
}

/**
 * With a rate the traces are spread over the time that sending them takes; with only a duration they
 * follow the clock; otherwise they lie in the window before now.
 */
function corpusOptions(options: TracegenOptions, over: (() => boolean) | undefined): CorpusOptions {
  const { profile, seed, requestSpans, rate, durationMs, windowMs } = options;
  const nowUnixNano = unixNanos();
  const common = { profile, seed, ...(requestSpans === undefined ? {} : { requestSpans }) };
  if (rate !== undefined) {
    const spans = options.spans ?? Math.max(1, Math.round((rate * durationMs!) / 1000));
    const lengthMs = Math.max(1, (spans / rate) * 1000);
    const endUnixNano = nowUnixNano + BigInt(Math.round((lengthMs - LAG_MS) * 1e6));
    return { ...common, spans, nowUnixNano: endUnixNano, windowMs: lengthMs };
  }
  if (options.spans === undefined && over !== undefined) {
    const lag = BigInt(LAG_MS * 1e6);
    const live = { clockUnixNano: () => unixNanos() - lag, stopped: over };
    return { ...common, spans: Number.POSITIVE_INFINITY, nowUnixNano: nowUnixNano - lag, live };
  }
  return {
    ...common,
    spans: options.spans!,
    nowUnixNano,
    ...(windowMs === undefined ? {} : { windowMs }),
  };
}

function unixNanos(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

function createTransport(options: TracegenOptions): LoadTransport {
  const { endpoint, workers, gzip, headers, tenantHeader, timeoutMs } = options;
  const transport = { endpoint, workers, gzip, headers, tenantHeader, timeoutMs };
  switch (options.protocol) {
    case 'http':
      return new HttpTransport(transport);
    case 'grpc':
      return new GrpcTransport(transport);
    case 'jaeger-udp':
      return new UdpTransport(endpoint);
  }
}
