// SPDX-License-Identifier: Apache-2.0
import type { BatchBuilder } from './batch-builder.ts';
import type { DecodeProgress } from './decode-progress.ts';

/**
 * Decodes bodies of one wire format into batch builders, in slices.
 *
 * - Undecodable bytes throw; the caller rolls the builder back to where it was before `begin`.
 * - A span that breaks the rules of its format is left out and counted; its neighbours stay.
 */
export class SlicedDecoder<Report = undefined> {
  readonly #progress: DecodeProgress;
  readonly #start: (body: Uint8Array) => Generator<void, void, void>;
  readonly #report: () => Report | undefined;
  #slices: Generator<void, void, void> | undefined;

  /**
   * @param start starts on a body; yields where the progress says that a slice is full
   * @param report what the sender of the body said of itself
   */
  constructor(
    progress: DecodeProgress,
    start: (body: Uint8Array) => Generator<void, void, void>,
    report: () => Report | undefined = () => undefined,
  ) {
    this.#progress = progress;
    this.#start = start;
    this.#report = report;
  }

  /** Spans taken and left out since `begin`. */
  get accepted(): number {
    return this.#progress.accepted;
  }

  get rejected(): number {
    return this.#progress.rejected;
  }

  /** Why the first span was left out; empty when none was. */
  get rejectedMessage(): string {
    return this.#progress.rejectedMessage;
  }

  /** What the sender of the body said of itself, in formats where it does; once the body is done. */
  get report(): Report | undefined {
    return this.#report();
  }

  /** Starts on a body. Its bytes must not change until it is decoded. */
  begin(body: Uint8Array): void {
    this.#progress.begin();
    this.#slices = this.#start(body);
  }

  /**
   * Decodes about `maxSpans` spans more into the builder, which may be another one for each call.
   * @returns true when the body is done
   * @throws {SpoorError} malformed
   */
  decode(builder: BatchBuilder, maxSpans = Infinity): boolean {
    this.#progress.beginSlice(builder, maxSpans);
    return this.#slices!.next().done === true;
  }
}
