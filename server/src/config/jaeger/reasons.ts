// SPDX-License-Identifier: Apache-2.0

// Why settings of Jaeger, of both its versions, have no effect here.

/** Of where Jaeger reads rates and latencies from. */
export const OWN_METRICS = 'Spoor counts rates, errors and latencies itself, from all stored spans';

/** Of the queue of a collector and those who empty it. */
export const NO_QUEUE =
  'spans wait in no queue: a sender is answered once they are safe, and memory_limit_mib bounds what is under way';

/** Of the threads behind a port for datagrams. */
export const NO_WORKERS = 'datagrams are taken by the main thread and written by others';

/** Of Jaeger's traces of itself. */
export const NO_TRACING = 'Spoor sends no traces of itself';

/** Of port 16685. */
export const NO_QUERY_GRPC = 'Spoor has no query API over gRPC';

/** Of the correction of clocks. */
export const NO_SKEW = 'times are shown as they were sent';
