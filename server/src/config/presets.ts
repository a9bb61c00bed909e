// SPDX-License-Identifier: Apache-2.0

/**
 * What a role is made of, as a configuration would write it. A file, the environment and flags lay over it; pipelines of a
 * file take the place of these.
 */
export const PRESETS = {
  /** Everything in one process. */
  'all-in-one': {
    receivers: {
      otlp: { protocols: { grpc: {}, http: {} } },
      jaeger: {
        protocols: {
          grpc: {},
          thrift_http: {},
          thrift_compact: {},
          thrift_binary: {},
          zipkin_compact: {},
        },
      },
      zipkin: {},
    },
    exporters: { storage: {} },
    service: {
      pipelines: {
        traces: { receivers: ['otlp', 'jaeger', 'zipkin'], exporters: ['storage'] },
      },
    },
  },
} as const;

/** A role of a process. */
export type Role = keyof typeof PRESETS;
