// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { TENANT_NAME } from '@spoor/core/model/ids.ts';
import { endpointSchema } from './endpoint.ts';
import { PORTS } from './ports.ts';
import { enabled, grpcKeys, httpKeys, protocolsSchema } from './receiver-config.ts';

function udpSchema(port: number, what: string) {
  return z
    .strictObject({
      enabled: enabled(what),
      endpoint: endpointSchema(port, what),
      max_packet_bytes: z
        .int()
        .min(1)
        .max(65_507)
        .default(65_000)
        .describe('Bytes: a larger datagram is dropped.'),
      queue_packets: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(10_000)
        .describe('Datagrams that may wait until their spans are on disk; more are dropped.'),
      socket_buffer_kib: z
        .int()
        .min(0)
        .max(1024 * 1024)
        .default(4096)
        .describe(
          'KiB that the system is asked to keep of datagrams that were not read yet, of which it gives at most net.core.rmem_max; 0: what it usually has.',
        ),
      tenant: z
        .union([z.literal(''), z.string().regex(TENANT_NAME)], {
          error: 'must be 1 to 64 of the characters A-Z a-z 0-9 _ -',
        })
        .default('')
        .describe(
          'Tenant of all spans that come here when tenancy is on, since datagrams name none; empty: they are dropped.',
        ),
    })
    .optional()
    .describe(`${what}.`);
}

/** `receivers.jaeger` */
export const jaegerReceiverSchema = z
  .strictObject({
    protocols: protocolsSchema({
      grpc: z
        .strictObject(grpcKeys(PORTS.jaegerGrpc, "Jaeger's protobuf over gRPC"))
        .optional()
        .describe("Jaeger's protobuf over gRPC."),
      thrift_http: z
        .strictObject(httpKeys(PORTS.jaegerThriftHttp, "Jaeger's Thrift over HTTP"))
        .optional()
        .describe("Jaeger's Thrift over HTTP."),
      thrift_compact: udpSchema(
        PORTS.jaegerThriftCompact,
        "Jaeger's Thrift over UDP in the compact protocol",
      ),
      thrift_binary: udpSchema(
        PORTS.jaegerThriftBinary,
        "Jaeger's Thrift over UDP in the binary protocol",
      ),
      zipkin_compact: udpSchema(
        PORTS.jaegerZipkinCompact,
        'the port of the oldest Jaeger clients, Thrift over UDP in the compact protocol',
      ),
    }),
  })
  .prefault({})
  .describe("Spans in Jaeger's own formats.");
