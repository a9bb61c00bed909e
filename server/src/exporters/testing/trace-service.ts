// SPDX-License-Identifier: Apache-2.0
import type { ServiceDefinition } from '@grpc/grpc-js';

const pass = (bytes: Buffer): Buffer => bytes;

/** OTLP's service for traces, on bytes, for servers that answer as a test wants. */
export const RAW_TRACE_SERVICE: ServiceDefinition = {
  Export: {
    path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    requestStream: false,
    responseStream: false,
    requestSerialize: pass,
    requestDeserialize: pass,
    responseSerialize: pass,
    responseDeserialize: pass,
  },
};
