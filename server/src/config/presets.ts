// SPDX-License-Identifier: Apache-2.0

const OTLP = { protocols: { grpc: {}, http: {} } };
const JAEGER_UDP = { thrift_compact: {}, thrift_binary: {}, zipkin_compact: {} };
const JAEGER = { protocols: { grpc: {}, thrift_http: {}, ...JAEGER_UDP } };
const STORAGE = { storage: {} };

const CLOSED = { enabled: false };
const NO_QUERY = { query: { http: CLOSED } };
const NO_SAMPLING = { sampling: { http: CLOSED, grpc: CLOSED } };

/**
 * What a role is made of, as a configuration would write it. A file, the environment and flags lay over it; pipelines of a
 * file take the place of these.
 */
export const PRESETS = {
  /** Everything in one process. */
  'all-in-one': {
    receivers: { otlp: OTLP, jaeger: JAEGER, zipkin: {} },
    exporters: STORAGE,
    service: {
      pipelines: { traces: { receivers: ['otlp', 'jaeger', 'zipkin'], exporters: ['storage'] } },
    },
  },
  /** On each host: from clients there to collectors, whose address is exporters.otlp.endpoint. */
  agent: {
    receivers: { otlp: OTLP, jaeger: { protocols: JAEGER_UDP } },
    // Small faults of a collector, and bursts, are not for each client to deal with.
    exporters: { otlp: { sending_queue: { enabled: true } } },
    service: { pipelines: { traces: { receivers: ['otlp', 'jaeger'], exporters: ['otlp'] } } },
    ...NO_QUERY,
  },
  /** From every client over the network into the store, or elsewhere by `service.pipelines.traces.exporters`. */
  collector: {
    receivers: { otlp: OTLP, jaeger: JAEGER, zipkin: {} },
    exporters: STORAGE,
    service: {
      pipelines: { traces: { receivers: ['otlp', 'jaeger', 'zipkin'], exporters: ['storage'] } },
    },
    ...NO_QUERY,
  },
  /** From Kafka into the store, or elsewhere by `service.pipelines.traces.exporters`. */
  ingester: {
    receivers: { kafka: {} },
    exporters: STORAGE,
    service: { pipelines: { traces: { receivers: ['kafka'], exporters: ['storage'] } } },
    ...NO_QUERY,
    ...NO_SAMPLING,
  },
  /** The store with its page and API. The store belongs to this process alone, so others send to it over OTLP. */
  query: {
    receivers: { otlp: OTLP },
    exporters: STORAGE,
    service: { pipelines: { traces: { receivers: ['otlp'], exporters: ['storage'] } } },
    ...NO_SAMPLING,
  },
} as const;

/** A role of a process. */
export type Role = keyof typeof PRESETS;

/** Their names, which are commands too. */
// The keys of an object that is only here.
export const ROLES = Object.keys(PRESETS) as readonly Role[];

/** What each is for, in a line. */
export const ROLE_TEXTS: Readonly<Record<Role, string>> = {
  'all-in-one': 'receives, stores and shows traces',
  agent: 'takes spans of the clients on its host and sends them to collectors',
  collector: 'takes spans of every client and stores them or passes them on',
  ingester: 'takes spans from Kafka and stores them or passes them on',
  query: 'the store, its page and its API; takes spans from collectors and ingesters',
};

/** Whether a word is the name of a role. */
export function isRole(word: string): word is Role {
  return Object.hasOwn(PRESETS, word);
}
