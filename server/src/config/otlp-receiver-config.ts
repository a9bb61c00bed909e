// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { PORTS } from './ports.ts';
import { grpcKeys, httpKeys } from './receiver-config.ts';

const grpcSchema = z
  .strictObject(grpcKeys(PORTS.otlpGrpc, 'OTLP over gRPC'))
  .prefault({})
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
  .prefault({})
  .describe('OTLP over HTTP, protobuf or JSON.');

/** `receivers.otlp` */
export const otlpReceiverSchema = z
  .strictObject({
    protocols: z
      .strictObject({ grpc: grpcSchema, http: httpSchema })
      .prefault({})
      .describe('The transports.'),
  })
  .prefault({})
  .describe('Spans in the OpenTelemetry protocol.');
