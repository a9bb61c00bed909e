// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { PORTS } from './ports.ts';
import { grpcKeys, httpKeys, protocolsSchema } from './receiver-config.ts';

const grpcSchema = z
  .strictObject(grpcKeys(PORTS.otlpGrpc, 'OTLP over gRPC'))
  .optional()
  .describe('OTLP over gRPC.');

const httpSchema = z
  .strictObject({
    ...httpKeys(PORTS.otlpHttp, 'OTLP over HTTP'),
    traces_url_path: z
      .string()
      .startsWith('/', { error: 'must be a path that begins with /' })
      .default('/v1/traces')
      .describe('Path that takes spans.'),
  })
  .optional()
  .describe('OTLP over HTTP, protobuf or JSON.');

/** `receivers.otlp` */
export const otlpReceiverSchema = z
  .strictObject({
    protocols: protocolsSchema({ grpc: grpcSchema, http: httpSchema }),
  })
  .prefault({})
  .describe('Spans in the OpenTelemetry protocol.');
