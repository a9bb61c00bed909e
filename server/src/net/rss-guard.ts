// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Memory is measured so often: at 100 MB/s between two looks 5 MB come in. */
const SAMPLE_MS = 50;

/** While bodies are refused nothing urges V8 to collect, so it is told to, for at most so much of the time: it may not help. */
const COLLECT_SHARE = 0.05;

/**
 * The last guard of the memory limit: what the process really takes, allocators and garbage included. The budget for bodies comes
 * first; this one acts when that was not enough.
 */
export class RssGuard {
  readonly limitBytes: number;
  readonly #refuseBytes: number;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #nextCollectMs = 0;
  #collect: (() => void) | undefined;

  /** @param refuseBytes below the limit; new bodies are refused above it */
  constructor(limitBytes: number, refuseBytes: number) {
    this.limitBytes = limitBytes;
    this.#refuseBytes = refuseBytes;
  }

  /** Whether new bodies should be refused now. */
  get isOver(): boolean {
    return this.#isOver;
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), SAMPLE_MS).unref();
  }

  /** May be called at any time. */
  shutdown(): void {
    clearInterval(this.#timer);
    this.#isOver = false;
  }

  #look(): void {
    this.#isOver = process.memoryUsage.rss() > this.#refuseBytes;
    const startMs = performance.now();
    if (!this.#isOver || startMs < this.#nextCollectMs) return;
    this.#collect ??= exposedCollector();
    this.#collect();
    const endMs = performance.now();
    this.#nextCollectMs = endMs + (endMs - startMs) / COLLECT_SHARE;
  }
}

/** V8's own collector, which scripts do not get otherwise. */
function exposedCollector(): () => void {
  setFlagsFromString('--expose-gc');
  // This is what the flag adds to a context that is made after it.
  return runInNewContext('gc') as () => void;
}
