// SPDX-License-Identifier: Apache-2.0

/** What a Jaeger client says of itself in a batch: counts since it was started. */
export interface JaegerClientReport {
  /** `service.name` of its process, and the tag `client-uuid`; texts of the client. */
  readonly service: string;
  readonly clientId: string;
  /** Number of the batch, from 1 on. */
  readonly batches: number;
  /** Spans that the client dropped: its queue was full, they did not fit into a packet, sending failed. */
  readonly fullQueueSpans: number;
  readonly tooLargeSpans: number;
  readonly failedSpans: number;
}
