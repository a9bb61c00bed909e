// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import type { CorpusRequest } from './corpus.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import type { LoadTransport } from './load-transport.ts';
import type { Random } from './random.ts';

/** How requests are sent. */
export interface LoadOptions {
  readonly transport: LoadTransport;
  /** Requests under way at a time. */
  readonly workers: number;
  /** Spans a second; undefined is as fast as the receiver takes them. */
  readonly rate?: number | undefined;
  /** How long a request is tried again before it is given up. */
  readonly retryForMs: number;
  /** For the jitter of the pauses. */
  readonly random: Random;
  /** Ends the run early: no request is begun or tried again after it. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each request that was acknowledged, with its number from 0. */
  readonly onAcked?: ((request: CorpusRequest, index: number) => void) | undefined;
}

/** Counts of a run, live while it goes on. Spans count once, however often they were tried. */
export interface LoadCounts {
  /** Handed to the transport at least once. */
  sentSpans: number;
  sentRequests: number;
  sentBytes: number;
  /** Taken by the receiver, without those it rejected. */
  ackedSpans: number;
  ackedRequests: number;
  /** Sent where nobody answers: what became of them is not known. */
  unansweredSpans: number;
  /** Refused for good by `partial_success` in answers that were otherwise good. */
  rejectedSpans: number;
  /** Answers, or missing answers, that asked for another try. */
  refusedRequests: number;
  /** Tries after the first. */
  retries: number;
  /** Given up: refused for good, or for too long. */
  lostSpans: number;
  lostRequests: number;
}

/** What a run came to. */
export interface LoadResult extends Readonly<LoadCounts> {
  readonly elapsedMs: number;
  /** From the begin of the try that was acknowledged to its answer. */
  readonly latency: LatencyHistogram;
  /** Why requests were refused or lost, with how often. */
  readonly reasons: ReadonlyMap<string, number>;
}

/** The first pause before another try; it doubles each time, and up to half of it is left out at random. */
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5000;
/** Reasons are few; a receiver that makes up new ones does not fill the memory. */
const MAX_REASONS = 50;

/** Sends requests through one transport with several workers. */
export class LoadSender {
  readonly counts: LoadCounts = {
    sentSpans: 0,
    sentRequests: 0,
    sentBytes: 0,
    ackedSpans: 0,
    ackedRequests: 0,
    unansweredSpans: 0,
    rejectedSpans: 0,
    refusedRequests: 0,
    retries: 0,
    lostSpans: 0,
    lostRequests: 0,
  };
  readonly latency = new LatencyHistogram();
  readonly #options: LoadOptions;
  readonly #reasons = new Map<string, number>();
  #nextSendMs = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Sends everything and resolves when each request is acknowledged or lost. Call it once. */
  async run(requests: Iterable<CorpusRequest>): Promise<LoadResult> {
    const iterator = requests[Symbol.iterator]();
    const startMs = performance.now();
    this.#nextSendMs = startMs;
    const workers = Array.from({ length: this.#options.workers }, () => this.#work(iterator));
    try {
      await Promise.all(workers);
    } finally {
      iterator.return?.();
    }
    return {
      ...this.counts,
      elapsedMs: performance.now() - startMs,
      latency: this.latency,
      reasons: this.#reasons,
    };
  }

  async #work(iterator: Iterator<CorpusRequest>): Promise<void> {
    while (!this.#stopped()) {
      const next = iterator.next();
      if (next.done === true) return;
      await this.#waitForTurn(next.value.spans);
      if (this.#stopped()) return;
      await this.#deliver(next.value);
    }
  }

  async #deliver(request: CorpusRequest): Promise<void> {
    const { counts } = this;
    const index = counts.sentRequests++;
    counts.sentSpans += request.spans;
    counts.sentBytes += request.body.length;
    const firstMs = performance.now();
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      const tryMs = performance.now();
      const outcome = await this.#options.transport.send(request.body, request.tenant);
      if (outcome.kind === 'acked') {
        this.latency.record(performance.now() - tryMs);
        counts.ackedRequests++;
        counts.ackedSpans += request.spans - outcome.rejectedSpans;
        counts.rejectedSpans += outcome.rejectedSpans;
        if (outcome.rejectedSpans > 0) this.#because(`rejected: ${outcome.message}`);
        this.#options.onAcked?.(request, index);
        return;
      }
      if (outcome.kind === 'sent') {
        counts.unansweredSpans += request.spans - outcome.lostSpans;
        if (outcome.lostSpans === 0) return;
        counts.lostRequests++;
        counts.lostSpans += outcome.lostSpans;
        this.#because(outcome.message);
        return;
      }
      this.#because(outcome.reason);
      if (outcome.kind === 'failed') break;
      counts.refusedRequests++;
      const jitteredMs = pauseMs * (1 - this.#options.random.float() / 2);
      const waitMs = Math.max(jitteredMs, outcome.retryAfterMs ?? 0);
      if (performance.now() - firstMs + waitMs > this.#options.retryForMs) break;
      await this.#sleep(waitMs);
      if (this.#stopped()) break;
      counts.retries++;
    }
    counts.lostRequests++;
    counts.lostSpans += request.spans;
  }

  /** With a rate: waits until it is this request's turn. */
  async #waitForTurn(spans: number): Promise<void> {
    const { rate } = this.#options;
    if (rate === undefined) return;
    const turnMs = this.#nextSendMs;
    this.#nextSendMs += (spans / rate) * 1000;
    const waitMs = turnMs - performance.now();
    if (waitMs > 0) await this.#sleep(waitMs);
  }

  async #sleep(ms: number): Promise<void> {
    try {
      await sleep(ms, undefined, { signal: this.#options.signal });
    } catch {
      // Only the signal ends it early; the caller looks at that.
    }
  }

  #stopped(): boolean {
    return this.#options.signal?.aborted === true;
  }

  #because(reason: string): void {
    const count = this.#reasons.get(reason);
    if (count === undefined && this.#reasons.size >= MAX_REASONS) return;
    this.#reasons.set(reason, (count ?? 0) + 1);
  }
}
