// SPDX-License-Identifier: Apache-2.0
import { REFUSAL_REASONS, type Refusal, type RefusalReason } from '#net/refusal.ts';
import { INGEST_FORMATS, type IngestFormat, type IngestResult } from '#pipeline/trace-ingest.ts';

/** Format of a request's body; `unknown` when it was refused before that was known. */
export type CountedFormat = IngestFormat | 'unknown';

/** What a receiver has counted since its start for one format. */
interface FormatFigures {
  /** Requests whose answer is decided. */
  readonly requests: number;
  /** Bodies as they came, in bytes. */
  readonly wireBytes: number;
  /** Bodies after decompression, in bytes. */
  readonly bodyBytes: number;
  readonly acceptedSpans: number;
  /** Invalid spans of accepted requests. */
  readonly rejectedSpans: number;
  /** Requests of which nothing was kept, by reason; every reason is there. */
  readonly refusedRequests: Readonly<Record<RefusalReason, number>>;
}

type MutableFigures = { -readonly [K in keyof FormatFigures]: FormatFigures[K] } & {
  refusedRequests: Record<RefusalReason, number>;
};

/** Figures by format; a fixed set, so its size doesn't depend on what clients send. */
export type ReceiverFigures = Readonly<Record<CountedFormat, FormatFigures>>;

/** Counts what one receiver takes and refuses. */
export class ReceiverCounters {
  // Every format has its figures.
  readonly #figures = Object.fromEntries(
    [...INGEST_FORMATS, 'unknown'].map((format) => [format, emptyFigures()]),
  ) as Record<CountedFormat, MutableFigures>;

  /** The counters themselves: read them, don't keep them. */
  get figures(): ReceiverFigures {
    return this.#figures;
  }

  countBody(format: IngestFormat, wireBytes: number, bodyBytes: number): void {
    const figures = this.#figures[format];
    figures.wireBytes += wireBytes;
    figures.bodyBytes += bodyBytes;
  }

  /** @param requests that the body is made of */
  countTaken(format: IngestFormat, result: IngestResult, requests = 1): void {
    const figures = this.#figures[format];
    figures.requests += requests;
    figures.acceptedSpans += result.accepted;
    figures.rejectedSpans += result.rejected;
  }

  /** @param requests that are refused */
  countRefused(format: CountedFormat, refusal: Refusal, requests = 1): void {
    const figures = this.#figures[format];
    figures.requests += requests;
    figures.refusedRequests[refusal.reason] += requests;
  }
}

function emptyFigures(): MutableFigures {
  return {
    requests: 0,
    wireBytes: 0,
    bodyBytes: 0,
    acceptedSpans: 0,
    rejectedSpans: 0,
    // Every reason has its zero.
    refusedRequests: Object.fromEntries(REFUSAL_REASONS.map((reason) => [reason, 0])) as Record<
      RefusalReason,
      number
    >,
  };
}
