// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { LatencyHistogram } from '../../server/src/cli/tracegen/latency-histogram.ts';
import { SpanPlan } from './span-plan.ts';
import type { Verdict } from './verdict.ts';

/** Pause between two questions unless told. */
const PAUSE_MS = 150;
/** An answer that takes longer counts as none, unless told. */
const LIMIT_MS = 10_000;

/** Asks as a person in front of the page does, one question after the other, while others load the server. */
export class SearchProbe {
  readonly latency = new LatencyHistogram();
  readonly #queryUrl: string;
  readonly #verdict: Verdict;
  readonly #pauseMs: number;
  readonly #limitMs: number;
  #ending = false;
  readonly #work: Promise<void>;

  constructor(queryUrl: string, verdict: Verdict, pauseMs = PAUSE_MS, limitMs = LIMIT_MS) {
    this.#queryUrl = queryUrl;
    this.#pauseMs = pauseMs;
    this.#limitMs = limitMs;
    this.#verdict = verdict;
    this.#work = this.#run();
  }

  async end(): Promise<void> {
    this.#ending = true;
    await this.#work;
  }

  async #run(): Promise<void> {
    for (let i = 0; !this.#ending; i++) {
      const service = SpanPlan.serviceName(i);
      const paths = [
        '/api/services',
        `/api/services/${service}/operations`,
        `/api/traces?service=${service}&limit=20&lookback=1h`,
      ];
      const url = this.#queryUrl + paths[i % paths.length]!;
      this.latency.record(await ask(url, this.#limitMs, this.#verdict));
      await sleep(this.#pauseMs);
    }
  }
}

/** Asks one question and returns how long the whole answer took, ms. */
async function ask(url: string, limitMs: number, verdict: Verdict): Promise<number> {
  const startMs = performance.now();
  let outcome: string;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(limitMs) });
    await answer.arrayBuffer();
    outcome = String(answer.status);
  } catch (error) {
    outcome = String(error);
  }
  verdict.check('searches are answered meanwhile', outcome === '200', () => `${url}: ${outcome}`);
  return performance.now() - startMs;
}
