// SPDX-License-Identifier: Apache-2.0
import type { ServerResponse } from 'node:http';
import { SpoorError } from '@spoor/core/model/errors.ts';

/**
 * Ends the work for a request when its client goes away, or when no part of the answer is made
 * and taken for too long. `signal.reason` is the error to answer with.
 */
export class RequestDeadline {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;

  /** @param timeoutMs until the answer begins, and between two parts of it */
  constructor(response: ServerResponse, timeoutMs: number) {
    this.#timer = setTimeout(() => {
      this.#abort.abort(
        new SpoorError(
          'deadline_exceeded',
          `the query was stopped: nothing for ${timeoutMs} ms (query.timeout_ms); ask for less, or raise it`,
        ),
      );
      // An answer that has begun cannot become an error any more: the client sees it break off.
      if (response.headersSent) response.destroy();
    }, timeoutMs);
    response.once('close', () => {
      clearTimeout(this.#timer);
      if (!response.writableFinished) {
        this.#abort.abort(new SpoorError('cancelled', 'the client went away'));
      }
    });
  }

  /** Fires when the work should end. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** A part of the answer is made, or taken: the time starts anew. */
  progress(): void {
    if (!this.#abort.signal.aborted) this.#timer.refresh();
  }

  /** The error to answer with: the reason of the end when that is what made the work fail. */
  explain(error: unknown): unknown {
    const { signal } = this;
    return signal.aborted ? signal.reason : error;
  }
}
