// SPDX-License-Identifier: Apache-2.0
import { PORTS } from '../ports.ts';
import {
  clientTls,
  group,
  ignored,
  refused,
  serverTls,
  sets,
  type Flags,
  type Meaning,
  type V1Flag,
} from './v1-flag.ts';
import {
  NO_BASE_PATH,
  NO_QUERY_GRPC,
  NO_QUEUE,
  NO_SKEW,
  NO_STORE_TOKENS,
  NO_TRACING,
  NO_UI_FILE,
  NO_WORKERS,
  OWN_METRICS,
} from './reasons.ts';
import { KAFKA } from './v1-kafka-flags.ts';
import {
  asBoolean,
  asHours,
  asKib,
  asList,
  asLogLevel,
  asMib,
  asMs,
  asNumber,
} from './v1-values.ts';

function grpcServer(path: string): Flags {
  return {
    'host-port': sets(`${path}.endpoint`),
    'max-message-size': sets(`${path}.max_body_mib`, asMib),
    'max-connection-age': sets(`${path}.max_connection_age_ms`, asMs),
    'max-connection-age-grace': sets(`${path}.max_connection_age_grace_ms`, asMs),
  };
}

function httpServer(path: string): Flags {
  return {
    'host-port': sets(`${path}.endpoint`),
    'idle-timeout': sets(`${path}.keep_alive_timeout_ms`, asMs),
    'read-timeout': sets(`${path}.request_timeout_ms`, asMs),
    'read-header-timeout': sets(`${path}.headers_timeout_ms`, asMs),
  };
}

function cors(path: string): Flags {
  return group('cors', {
    'allowed-origins': sets(`${path}.cors.allowed_origins`, asList),
    'allowed-headers': sets(`${path}.cors.allowed_headers`, asList),
  });
}

function udpServer(protocol: string): Flags {
  const path = `receivers.jaeger.protocols.${protocol}`;
  return {
    'server-host-port': sets(`${path}.endpoint`),
    'server-max-packet-size': sets(`${path}.max_packet_bytes`, asNumber),
    'server-queue-size': sets(`${path}.queue_packets`, asNumber),
    'server-socket-buffer-size': sets(`${path}.socket_buffer_kib`, asKib),
    workers: ignored(NO_WORKERS),
  };
}

const OWN_STORE = 'Spoor keeps spans in its own store, see the keys below storage';

const JAEGER_GRPC = 'receivers.jaeger.protocols.grpc';
const THRIFT_HTTP = 'receivers.jaeger.protocols.thrift_http';
const OTLP_GRPC = 'receivers.otlp.protocols.grpc';
const OTLP_HTTP = 'receivers.otlp.protocols.http';

const COLLECTOR: Flags = group('collector', {
  ...group('grpc-server', grpcServer(JAEGER_GRPC)),
  ...group('grpc', serverTls(JAEGER_GRPC)),
  ...group('http-server', httpServer(THRIFT_HTTP)),
  ...group('http', serverTls(THRIFT_HTTP)),
  ...group('otlp', {
    enabled: {
      isBoolean: true,
      read: (value) =>
        [OTLP_GRPC, OTLP_HTTP].map((path) => ({
          path: `${path}.enabled`.split('.'),
          value: asBoolean(value),
        })),
    },
    ...group('grpc', { ...grpcServer(OTLP_GRPC), ...serverTls(OTLP_GRPC) }),
    ...group('http', { ...httpServer(OTLP_HTTP), ...serverTls(OTLP_HTTP), ...cors(OTLP_HTTP) }),
  }),
  ...group('zipkin', {
    'host-port': sets('receivers.zipkin.endpoint'),
    'keep-alive': ignored('connections are kept for receivers.zipkin.keep_alive_timeout_ms', true),
    ...serverTls('receivers.zipkin'),
    ...cors('receivers.zipkin'),
  }),
  'queue-size': ignored(NO_QUEUE),
  'queue-size-memory': ignored(NO_QUEUE),
  'num-workers': ignored(NO_QUEUE),
  'enable-span-size-metrics': ignored('spoor_receiver_body_bytes_total counts bytes', true),
  tags: { read: readTags },
});

const AGENT: Flags = {
  ...group('processor', {
    ...group('jaeger-compact', udpServer('thrift_compact')),
    ...group('jaeger-binary', udpServer('thrift_binary')),
    ...group('zipkin-compact', udpServer('zipkin_compact')),
  }),
  'http-server.host-port': sets('sampling.http.endpoint'),
  'reporter.type': refused('agents send OTLP over gRPC', 'grpc'),
  ...group('reporter.grpc', {
    'host-port': { read: readCollectors },
    'retry.max': ignored('exporters.otlp.retry_on_failure says for how long it is tried'),
    'discovery.min-peers': ignored('all addresses of a name are sent to in turn'),
    ...clientTls('exporters.otlp'),
  }),
  'agent.tags': { read: readTags },
};

/** `key=value,…` that every process gets: attributes of its resource. */
function readTags(value: string): Meaning[] {
  const attributes = asList(value).map((tag) => {
    const [, key, text = ''] = /^([^=]+)=(.*)$/.exec(tag) ?? [];
    if (key === undefined) throw new RangeError('must be key=value, with commas between them');
    if (text.startsWith('${')) {
      throw new RangeError(`${key}: set its value in a file, where \${env:NAME:-default} is taken`);
    }
    return { action: 'insert', key: key.trim(), value: text.trim() };
  });
  if (attributes.length === 0) return [];
  const id = 'resource/jaeger_tags';
  return [
    { path: ['processors', id, 'attributes'], value: attributes },
    { path: ['service', 'pipelines', 'traces', 'processors'], value: [id], isAdded: true },
  ];
}

/** Jaeger's agents speak Jaeger's protobuf to port 14250, Spoor's speak OTLP to the port that collectors have for that. */
function readCollectors(value: string): Meaning[] {
  const servers = value
    .split(',')
    .map((server) => server.trim().replace(/:14250$/, `:${PORTS.otlpGrpc}`));
  return [
    { path: ['exporters', 'otlp', 'endpoint'], value: servers },
    { path: ['exporters', 'otlp', 'tls', 'insecure'], value: true },
  ];
}

const QUERY: Flags = group('query', {
  'http-server.host-port': sets('query.http.endpoint'),
  ...group('http', serverTls('query.http')),
  'grpc-server.host-port': ignored(NO_QUERY_GRPC),
  'static-files': sets('query.ui.assets_path'),
  'ui-config': refused(NO_UI_FILE, ''),
  'base-path': refused(NO_BASE_PATH, '/'),
  'additional-headers': refused(
    'Spoor answers with headers of its own only; leave it out, and let a proxy add them',
    '',
  ),
  'bearer-token-propagation': refused(NO_STORE_TOKENS, 'false', true),
  'max-clock-skew-adjustment': ignored(NO_SKEW),
  'enable-tracing': ignored(NO_TRACING, true),
});

const STORAGE: Flags = {
  ...group('badger', {
    'directory-value': sets('storage.directory'),
    'directory-key': ignored('keys and values are in storage.directory'),
    ephemeral: sets('storage.type', (text) => (asBoolean(text) === true ? 'memory' : 'columnar')),
    'span-store-ttl': sets('storage.retention.max_age_hours', asHours),
    consistency: ignored('every acknowledged span is on disk', true),
    'maintenance-interval': ignored('blocks are merged as they come'),
    'metrics-update-interval': ignored('metrics are of the moment'),
    'read-only': refused('there is no store that is only read', 'false', true),
  }),
  'memory.max-traces': ignored('storage.memory.max_spans bounds the memory store by spans'),
  ...group('prometheus', {
    'server-url': ignored(OWN_METRICS),
    'connect-timeout': ignored(OWN_METRICS),
    'token-file': ignored(OWN_METRICS),
    'token-override-from-context': ignored(OWN_METRICS, true),
    ...group('query', {
      namespace: ignored(OWN_METRICS),
      'duration-unit': ignored(OWN_METRICS),
      'normalize-calls': ignored(OWN_METRICS, true),
      'normalize-duration': ignored(OWN_METRICS, true),
      'extra-query-params': ignored(OWN_METRICS),
    }),
  }),
};

const GENERAL: Flags = {
  'log-level': sets('telemetry.log_level', asLogLevel),
  'log-encoding': refused('the log is JSON lines', 'json'),
  'config-file': refused('write it as YAML in the shape of the collector and give it to --config'),
  'admin.http.host-port': sets('telemetry.health.endpoint'),
  ...group('admin.http', serverTls('telemetry.health')),
  'metrics-backend': refused('metrics are for Prometheus, at /metrics', 'prometheus'),
  'metrics-http-route': refused('metrics are at /metrics', '/metrics'),
  ...group('multi-tenancy', {
    enabled: sets('tenancy.enabled', asBoolean),
    header: sets('tenancy.header'),
    tenants: sets('tenancy.tenants', asList),
  }),
  ...group('sampling', {
    'strategies-file': sets('sampling.strategies_file'),
    'strategies-reload-interval': sets('sampling.reload_interval_ms', asMs),
    'default-sampling-probability': sets('sampling.default_sampling_probability', asNumber),
  }),
};

/** Kinds of storage in `SPAN_STORAGE_TYPE`. */
const STORAGE_TYPES: Readonly<Record<string, string>> = { badger: 'columnar', memory: 'memory' };

/** All in the list are written. */
function readStorageTypes(value: string): Meaning[] {
  const meanings: Meaning[] = [];
  const exporters = new Set<string>();
  for (const entry of value.split(',').map((part) => part.trim())) {
    const type = STORAGE_TYPES[entry];
    if (type !== undefined) meanings.push({ path: ['storage', 'type'], value: type });
    else if (entry !== 'kafka') {
      throw new RangeError(
        `Spoor has no storage of type ${entry}; it has its own, which takes the place of badger, memory and kafka`,
      );
    }
    exporters.add(type === undefined ? 'kafka' : 'storage');
  }
  if (exporters.has('kafka')) {
    const path = ['service', 'pipelines', 'traces', 'exporters'];
    meanings.push({ path, value: [...exporters] });
  }
  return meanings;
}

function variable(flag: V1Flag): V1Flag {
  return { ...flag, isVariableOnly: true };
}

/** The flags by name without dashes. Environment variables are their names in capitals with `_` for `.` and `-`. */
export const V1_FLAGS: ReadonlyMap<string, V1Flag> = new Map(
  Object.entries({
    'span-storage.type': { read: readStorageTypes },
    ...GENERAL,
    ...COLLECTOR,
    ...AGENT,
    ...QUERY,
    ...STORAGE,
    ...KAFKA,
    'sampling-config-type': variable(refused('strategies come from a file or URL only', 'file')),
    'sampling-storage-type': variable(ignored('there is no adaptive sampling')),
    'metrics-storage-type': variable(ignored(OWN_METRICS)),
    'dependency-storage-type': variable(ignored('dependencies are counted in the store')),
    'jaeger-listen-host': variable(sets('listen_host')),
  } satisfies Flags),
);

/** Why flags that begin so are refused, or undefined when they are not. */
export function refusedPrefix(name: string): string | undefined {
  return /^(?:es|es-archive|opensearch|cassandra|cassandra-archive|grpc-storage|downsampling)\./.test(
    name,
  )
    ? OWN_STORE
    : undefined;
}
