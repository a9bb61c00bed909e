// SPDX-License-Identifier: Apache-2.0
import type { BatchBuilder } from './batch-builder.ts';

/** How far a decoder is with a request: what it has taken and left out, and the builder that it fills now. */
export class DecodeProgress {
  builder!: BatchBuilder;
  /** Spans taken and left out since {@link begin}. */
  accepted = 0;
  rejected = 0;
  /** Why the first span was left out; empty when none was. */
  rejectedMessage = '';
  readonly #format: string;
  #fullSpans = Infinity;

  /** @param format how messages name the format, e.g. `jaeger thrift` */
  constructor(format: string) {
    this.#format = format;
  }

  /** Starts on a request. */
  begin(): void {
    this.accepted = 0;
    this.rejected = 0;
    this.rejectedMessage = '';
  }

  /** Starts on a slice of about `maxSpans` spans, which go to `builder`. */
  beginSlice(builder: BatchBuilder, maxSpans: number): void {
    this.builder = builder;
    this.#fullSpans = this.accepted + this.rejected + maxSpans;
  }

  /** Whether the slice is to end. */
  get isFull(): boolean {
    if (this.accepted + this.rejected >= this.#fullSpans) return true;
    return this.#fullSpans !== Infinity && this.builder.isLarge;
  }

  /**
   * Closes the row under way, or takes it back.
   * @param start where its span begins in the request, in bytes
   * @param problem what is wrong with it; empty when nothing is
   */
  endSpan(start: number, problem: string): void {
    if (problem === '') {
      this.builder.endSpan();
      this.accepted++;
      return;
    }
    this.builder.abortSpan();
    this.rejected++;
    this.rejectedMessage ||= `${this.#format}: span at byte ${start} left out: ${problem}`;
  }
}
