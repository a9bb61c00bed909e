// SPDX-License-Identifier: Apache-2.0
import { CollectCalls, collectGarbage } from '#workers/collector.ts';
import { CollectPace } from './collect-pace.ts';

/** Memory is measured so often: at 100 MB/s between two looks 5 MB come in. */
const SAMPLE_MS = 50;

/** Other threads are told so too, but no more often: it takes each of them 10 to 20 ms. */
const CALL_MS = 5000;

/**
 * The last guard of the memory limit: what the process really takes, allocators and garbage included. The budget for bodies comes
 * first; this one acts when that was not enough.
 */
export class RssGuard {
  readonly limitBytes: number;
  readonly #refuseBytes: number;
  readonly #onRoom: (bytes: number) => void;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  /** While bodies are refused nothing urges V8 to collect, so it is told to. */
  readonly #pace = new CollectPace();
  #others: CollectCalls | undefined;
  #nextCallMs = 0;

  /**
   * @param refuseBytes below the limit; new bodies are refused above it
   * @param onRoom told at each look by how much the process is below that
   */
  constructor(limitBytes: number, refuseBytes: number, onRoom: (bytes: number) => void) {
    this.limitBytes = limitBytes;
    this.#refuseBytes = refuseBytes;
    this.#onRoom = onRoom;
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
    this.#others?.close();
    this.#others = undefined;
    this.#isOver = false;
    this.#onRoom(Infinity);
  }

  #look(): void {
    const rssBytes = process.memoryUsage.rss();
    const roomBytes = this.#refuseBytes - rssBytes;
    this.#isOver = roomBytes < 0;
    this.#onRoom(roomBytes);
    const startMs = performance.now();
    if (!this.#isOver || !this.#pace.isDue(startMs, rssBytes)) return;
    collectGarbage('major');
    if (startMs >= this.#nextCallMs) {
      this.#nextCallMs = startMs + CALL_MS;
      this.#others ??= new CollectCalls();
      this.#others.call();
    }
    this.#pace.collected(startMs, performance.now(), rssBytes);
  }
}
