// SPDX-License-Identifier: Apache-2.0
import {
  NO_BASE_PATH,
  NO_QUERY_GRPC,
  NO_SKEW,
  NO_STORE_TOKENS,
  NO_TRACING,
  NO_WORKERS,
  OWN_METRICS,
} from './reasons.ts';
import type { V2Keys } from './v2-rewriter.ts';
import { asHours, asKib, asLogLevel, asMib, asMs, asText } from './v1-values.ts';

const NO_METADATA = 'what a request says of its sender is not kept';

/** Settings of the collector's listeners over gRPC. */
export const GRPC_KEYS: V2Keys = {
  transport: { refused: 'Spoor listens on TCP', usual: 'tcp' },
  max_recv_msg_size_mib: { to: 'max_body_mib' },
  'keepalive.server_parameters.max_connection_idle': {
    to: 'max_connection_idle_ms',
    convert: asMs,
  },
  'keepalive.server_parameters.max_connection_age': { to: 'max_connection_age_ms', convert: asMs },
  'keepalive.server_parameters.max_connection_age_grace': {
    to: 'max_connection_age_grace_ms',
    convert: asMs,
  },
  'keepalive.server_parameters.time': { to: 'keepalive_time_ms', convert: asMs },
  'keepalive.server_parameters.timeout': { to: 'keepalive_timeout_ms', convert: asMs },
  'keepalive.enforcement_policy': { ignored: 'clients may ping as often as they like' },
  read_buffer_size: { ignored: 'buffers have the size of what comes' },
  write_buffer_size: { ignored: 'buffers have the size of what comes' },
  include_metadata: { ignored: NO_METADATA },
};

/** Settings of the collector's listeners over HTTP. */
export const HTTP_KEYS: V2Keys = {
  max_request_body_size: { to: 'max_body_mib', convert: asMib },
  read_timeout: { to: 'request_timeout_ms', convert: asMs },
  read_header_timeout: { to: 'headers_timeout_ms', convert: asMs },
  idle_timeout: { to: 'keep_alive_timeout_ms', convert: asMs },
  write_timeout: { ignored: 'answers are some bytes' },
  'cors.max_age': { to: 'cors.max_age_s' },
  include_metadata: { ignored: NO_METADATA },
};

/** Settings of the Jaeger receiver's ports over UDP. */
export const UDP_KEYS: V2Keys = {
  queue_size: { to: 'queue_packets' },
  max_packet_size: { to: 'max_packet_bytes' },
  socket_buffer_size: { to: 'socket_buffer_kib', convert: asKib },
  workers: { ignored: NO_WORKERS },
};

/** `exporters.jaeger_storage_exporter` */
export const STORAGE_EXPORTER_KEYS: V2Keys = {
  trace_storage: { isKnown: true },
  queue: { ignored: 'a sender is answered when its spans are on disk' },
  retry_on_failure: { ignored: 'a sender is told when it has to try again' },
};

/** `extensions.jaeger_query` */
export const QUERY_KEYS: V2Keys = {
  'storage.traces': { isKnown: true },
  'storage.traces_archive': { ignored: 'there is one store, whose retention says what is kept' },
  'storage.metrics': { ignored: OWN_METRICS },
  base_path: { refused: NO_BASE_PATH, usual: '/' },
  'ui.config_file': { ignored: 'the page of Spoor has no configuration file' },
  'ui.assets_path': { to: 'query.ui.assets_path' },
  'ui.log_access': { ignored: 'requests for the page are not logged' },
  bearer_token_propagation: { refused: NO_STORE_TOKENS, usual: false },
  max_clock_skew_adjust: { ignored: NO_SKEW },
  max_trace_size: { ignored: 'a trace of any size is shown' },
  enable_tracing: { ignored: NO_TRACING },
  'http.endpoint': { to: 'query.http.endpoint' },
  grpc: { ignored: NO_QUERY_GRPC },
  'multi_tenancy.enabled': { to: 'tenancy.enabled' },
  'multi_tenancy.header': { to: 'tenancy.header' },
  'multi_tenancy.tenants': { to: 'tenancy.tenants' },
};

/** `extensions.remote_sampling` */
export const SAMPLING_KEYS: V2Keys = {
  'file.path': { to: 'sampling.strategies_file' },
  'file.default_sampling_probability': { to: 'sampling.default_sampling_probability' },
  'file.reload_interval': { to: 'sampling.reload_interval_ms', convert: asMs },
  adaptive: { refused: 'strategies come from a file or URL only; use file' },
  'http.endpoint': { to: 'sampling.http.endpoint' },
  'grpc.endpoint': { to: 'sampling.grpc.endpoint' },
};

/** `extensions.healthcheckv2` */
export const HEALTH_KEYS: V2Keys = {
  use_v2: { isKnown: true },
  component_health: { ignored: '/ready says what is wrong' },
  'http.endpoint': { to: 'telemetry.health.endpoint' },
  'http.status': { ignored: 'the paths are /ready, /live, /health and /status' },
  'http.config': { ignored: 'GET /status has what is known' },
  grpc: { ignored: 'health is served over HTTP' },
};

/** `service.telemetry` */
export const TELEMETRY_KEYS: V2Keys = {
  'logs.level': { to: 'telemetry.log_level', convert: asLogLevel },
  'logs.encoding': { refused: 'the log is JSON lines', usual: 'json' },
  metrics: { ignored: 'metrics are on the port of telemetry.health, at /metrics' },
  traces: { ignored: NO_TRACING },
  resource: { ignored: 'metrics have no resource' },
};

/** A backend of `extensions.jaeger_storage` that keeps spans on disk. */
export const BADGER_KEYS: V2Keys = {
  'directories.values': { to: 'storage.directory', convert: asText },
  'directories.keys': { ignored: 'keys and values are in storage.directory' },
  'ttl.spans': { to: 'storage.retention.max_age_hours', convert: asHours },
  ephemeral: { ignored: 'spans stay on disk for as long as storage.retention says' },
  consistency: { ignored: 'every acknowledged span is on disk' },
  maintenance_interval: { ignored: 'blocks are merged as they come' },
  metrics_update_interval: { ignored: 'metrics are of the moment' },
  read_only: { refused: 'there is no store that is only read', usual: false },
};

/** A backend that keeps spans in memory. */
export const MEMORY_KEYS: V2Keys = {
  max_traces: { ignored: 'storage.memory.max_spans bounds the memory store by spans' },
};
