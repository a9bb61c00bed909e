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

/** Of a path before all others. */
export const NO_BASE_PATH =
  'Spoor serves the page and the API at / only; leave it out, and give Spoor a host name of its own in the proxy';

/** Of the file with settings of the page. */
export const NO_UI_FILE = 'the page of Spoor has no configuration file; leave it out';

/** Of tokens that are passed on to the storage. */
export const NO_STORE_TOKENS =
  'the store takes no tokens; leave it out: auth.query lists those that may read';

/** Of port 16685. */
export const NO_QUERY_GRPC = 'Spoor has no query API over gRPC';

/** Of the correction of clocks. */
export const NO_SKEW = 'times are shown as they were sent';
