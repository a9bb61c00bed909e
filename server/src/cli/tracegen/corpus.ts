// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { CorpusTruth } from './corpus-truth.ts';
import { TruthRecorder } from './corpus-truth.ts';
import { hostileRequests } from './hostile-corpus.ts';
import { shopRequests } from './shop-corpus.ts';

/**
 * What traffic looks like.
 *
 * - `shop`: a web shop of 16 services and 38 instances, the traffic of a usual day.
 * - `hostile`: many small requests of several tenants with everything that is legal and unpleasant.
 */
export type CorpusProfile = 'shop' | 'hostile';

/** The profiles by name. */
export const CORPUS_PROFILES: readonly CorpusProfile[] = ['shop', 'hostile'];

/** What a corpus is made of; the same options give the same bytes. */
export interface CorpusOptions {
  readonly profile: CorpusProfile;
  /** Distinct spans, exactly. Infinity is allowed with `live` only. */
  readonly spans: number;
  readonly seed: number;
  /** No trace starts later than this, Unix ns. */
  readonly nowUnixNano: bigint;
  /** Traces start in `[now - window, now - 5 s)`, or over the whole window when it is shorter than 10 s. Default 30 minutes. */
  readonly windowMs?: number;
  /** Spans of a full request. Default 512 for `shop`; `hostile` has 1 to 20 unless this is given. */
  readonly requestSpans?: number;
  /** How often an SDK exports. Default 5 s. */
  readonly exportIntervalMs?: number;
  /** Times follow a clock instead of the window; nothing is kept of the traces. */
  readonly live?: LiveTiming;
}

/** Makes traces as time goes by. */
interface LiveTiming {
  /** Now, Unix ns. */
  clockUnixNano(): bigint;
  /** True ends the corpus: what SDKs hold back is still sent. */
  stopped(): boolean;
}

/** One encoded `ExportTraceServiceRequest`. */
export interface CorpusRequest {
  readonly body: Uint8Array;
  /** Spans in the body, copies counted. */
  readonly spans: number;
  /** Who sends it; empty where the profile knows no tenants. */
  readonly tenant: string;
}

/** Requests in the order in which they are sent, and what they hold. Can be iterated once. */
export interface Corpus extends Iterable<CorpusRequest> {
  /**
   * What a store must know when it got everything; complete when the iteration has ended.
   * @throws {SpoorError} internal: before that
   */
  readonly truth: CorpusTruth;
}

/** A corpus that is generated while it is read. */
export function createCorpus(options: CorpusOptions): Corpus {
  checkOptions(options);
  const recorder = new TruthRecorder(options.live === undefined);
  const requests = options.profile === 'shop' ? shopRequests : hostileRequests;
  const generator = requests(options, recorder);
  let ended = false;
  function* iterate(): Generator<CorpusRequest> {
    for (const request of generator) {
      recorder.request(request);
      yield request;
    }
    ended = true;
  }
  const iterator = iterate();
  return {
    [Symbol.iterator]: () => iterator,
    get truth() {
      if (!ended) {
        throw new SpoorError('internal', 'tracegen: the truth of a corpus was read before its end');
      }
      return recorder.truth();
    },
  };
}

/** When a trace starts. Times are ns since `originUnixNano`. */
export interface CorpusTiming {
  readonly originUnixNano: bigint;
  /** @param ratio how much of the corpus was made, 0 to 1 */
  startNanos(ratio: number): number;
  stopped(): boolean;
}

/** The timing that the options ask for. */
export function createTiming(options: CorpusOptions): CorpusTiming {
  const { live } = options;
  if (live !== undefined) {
    const originUnixNano = options.nowUnixNano;
    return {
      originUnixNano,
      startNanos: () => Math.max(0, Number(live.clockUnixNano() - originUnixNano)),
      stopped: () => live.stopped(),
    };
  }
  const windowMs = options.windowMs ?? DEFAULT_WINDOW_MS;
  const lengthMs = windowMs >= 2 * SETTLE_MS ? windowMs - SETTLE_MS : windowMs;
  return {
    originUnixNano: options.nowUnixNano - BigInt(Math.round(windowMs * 1e6)),
    startNanos: (ratio) => ratio * lengthMs * 1e6,
    stopped: () => false,
  };
}

function checkOptions(options: CorpusOptions): void {
  const { spans, live, windowMs, requestSpans, exportIntervalMs, seed } = options;
  const unlimited = spans === Number.POSITIVE_INFINITY && live !== undefined;
  check(unlimited || (Number.isSafeInteger(spans) && spans > 0), 'spans', spans);
  check(Number.isFinite(seed), 'seed', seed);
  check(
    windowMs === undefined || (windowMs > 0 && windowMs <= MAX_WINDOW_MS),
    'windowMs',
    windowMs,
  );
  check(
    requestSpans === undefined ||
      (Number.isSafeInteger(requestSpans) && requestSpans > 0 && requestSpans <= MAX_REQUEST_SPANS),
    'requestSpans',
    requestSpans,
  );
  check(
    exportIntervalMs === undefined || (exportIntervalMs > 0 && exportIntervalMs <= MAX_WINDOW_MS),
    'exportIntervalMs',
    exportIntervalMs,
  );
}

function check(fine: boolean, name: string, value: unknown): void {
  if (!fine) {
    throw new SpoorError(
      'invalid_argument',
      `tracegen: ${name} ${String(value)} is out of its range`,
    );
  }
}

const DEFAULT_WINDOW_MS = 30 * 60_000;
/** Traces of the last seconds would still be running. */
const SETTLE_MS = 5000;
/** Times are kept as ns in doubles, which are exact up to 104 days. */
const MAX_WINDOW_MS = 90 * 24 * 3_600_000;
/** Keeps a body of large spans below the 64 MiB that a server takes at most. */
const MAX_REQUEST_SPANS = 50_000;
