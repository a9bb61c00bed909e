// SPDX-License-Identifier: Apache-2.0

/** What a worker is made with. */
export interface FloodWorkerData {
  readonly protocol: 'grpc' | 'http';
  /** host:port, or a base URL. */
  readonly address: string;
  readonly connections: number;
  readonly seed: number;
  readonly originUnixNano: bigint;
  /** It sends the requests with this number, and every `step` further. */
  readonly firstRequest: number;
  readonly step: number;
  /** File for requests that are made in advance; removed at the end. */
  readonly file: string;
}

/** What a worker is to do next. */
export type FloodOrder =
  | { readonly do: 'prepare'; readonly requests: number }
  | ({ readonly do: 'send' } & SendOrder)
  | { readonly do: 'end' };

/** Sends for a time. */
export interface SendOrder {
  readonly durationMs: number;
  /** Requests under way at most. */
  readonly inFlight: number;
  /** Requests begun a second; undefined: one as soon as another is answered. */
  readonly requestsPerSecond: number | undefined;
}

/** What came of it. */
export interface FloodReport {
  /** Numbers of the requests that were acknowledged. */
  readonly acked: readonly number[];
  /** How many of these before the time was over. */
  readonly ackedInTime: number;
  /** Tries, with those of refused requests. */
  readonly sent: number;
  /** Requests that had not been made in advance. */
  readonly unprepared: number;
  /** Refusals that said when to come back, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** All that must not happen, by reason. */
  readonly wrong: Readonly<Record<string, number>>;
  readonly ackMedianMs: number;
  readonly ackP99Ms: number;
  readonly refusalMedianMs: number;
  readonly refusalP99Ms: number;
}

/** Spans of each request. */
export const FLOOD_SPANS = 512;
