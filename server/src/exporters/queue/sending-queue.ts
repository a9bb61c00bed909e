// SPDX-License-Identifier: Apache-2.0
import type { ExportRequest } from '#exporters/sending/transport.ts';

/**
 * Sends one request and keeps trying as long as it should; see `Sender.send`.
 * @throws {SpoorError}
 */
export type SendRequest = (request: ExportRequest, signal: AbortSignal) => Promise<void>;

/** What a queue holds. */
export interface QueueFigures {
  /** Requests that are being sent, those that pause before they are tried again included. */
  readonly underWay: number;
  readonly usedBytes: number;
  /** 0: none wait. */
  readonly capacityBytes: number;
  /** Spans of requests that found no room. */
  readonly refusedSpans: number;
}

/** Where requests are until they were sent. */
export interface SendingQueue {
  readonly figures: QueueFigures;
  /** @throws {SpoorError} unavailable or config */
  start(): Promise<void>;
  /**
   * Resolves when the requests of one write are safe: taken by a server, or kept by the queue for good.
   * @throws {SpoorError} overloaded: it is full, and took none of them; unavailable; what sending one throws
   */
  put(...requests: readonly ExportRequest[]): Promise<void>;
  /** Sends what it holds until the deadline, in ms from now, then ends. */
  shutdown(deadlineMs: number): Promise<void>;
}
