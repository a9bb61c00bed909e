// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { IngestFormat, IngestOptions, IngestResult, TraceIngest } from './trace-ingest.ts';

/** A turn of ingest lasts at least so long when bodies wait: one usual body takes 2 to 5 ms. */
const LEAST_TURN_MS = 5;

/**
 * … and at most so long: a question or a refusal waits for some turns until its answer is complete. A thousand sockets that
 * are ready at once take up to a third of this.
 */
const MOST_TURN_MS = 400;

/** Time of a turn for each ms that the sockets had since the last one: refusing leaves three quarters to what was admitted. */
const TURN_RATIO = 3;

/** The rate is that of the last second or two of turns. */
const RATE_WINDOW_MS = 1000;

/**
 * Takes request bodies in turns between which the sockets are served.
 *
 * Every body that is complete would otherwise be decoded before the next socket is looked at: with hundreds of senders a
 * question, and the refusal of a body that has no room, would wait for seconds. The other way around, sockets that are
 * always ready would leave no time to decode.
 */
export class PacedIngest implements TraceIngest {
  readonly #ingest: TraceIngest;
  readonly #nowMs: () => number;
  readonly #waiting: (() => void)[] = [];
  #isScheduled = false;
  #endedMs = 0;
  /** In the turns that the rate is of. */
  #takenBytes = 0;
  #takenMs = 0;

  /** @param nowMs monotonic clock in ms */
  constructor(ingest: TraceIngest, nowMs: () => number = () => performance.now()) {
    this.#ingest = ingest;
    this.#nowMs = nowMs;
  }

  /** Bodies that wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Bytes of bodies that would be taken in a second now, if there were enough; Infinity when there never were any. */
  get bytesPerSecond(): number {
    const share = TURN_RATIO / (TURN_RATIO + 1);
    return this.#takenMs === 0 ? Infinity : (share * 1000 * this.#takenBytes) / this.#takenMs;
  }

  ingest(
    tenant: Tenant,
    format: IngestFormat,
    body: Uint8Array,
    options: IngestOptions = {},
  ): Promise<IngestResult> {
    return new Promise((resolve) => {
      this.#waiting.push(() => {
        this.#takenBytes += body.length;
        resolve(this.#ingest.ingest(tenant, format, body, options));
      });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    const startMs = this.#nowMs();
    const shareMs = TURN_RATIO * (startMs - this.#endedMs);
    const untilMs = startMs + Math.min(MOST_TURN_MS, Math.max(LEAST_TURN_MS, shareMs));
    let done = 0;
    do this.#waiting[done++]!();
    while (done < this.#waiting.length && this.#nowMs() < untilMs);
    this.#waiting.splice(0, done);
    this.#endedMs = this.#nowMs();
    this.#isScheduled = false;
    this.#countTime(this.#endedMs - startMs);
    if (this.#waiting.length > 0) this.#schedule();
  }

  #countTime(turnMs: number): void {
    this.#takenMs += turnMs;
    if (this.#takenMs < RATE_WINDOW_MS) return;
    this.#takenMs /= 2;
    this.#takenBytes /= 2;
  }
}
