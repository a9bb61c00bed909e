// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { serversSchema } from './exporter-endpoint.ts';
import { requestSizeSchema, sendingKeys } from './sending-config.ts';
import { clientTlsSchema } from './tls-config.ts';

/** `exporters.otlp` */
export const otlpExporterSchema = z
  .strictObject({
    endpoint: serversSchema(
      'grpc',
      'host:port of the servers, or a list of these. A name stands for all its addresses, those of IPv4 where it has any. Before it may be http:// for plain text, https:// or dns:///.',
    ),
    tls: clientTlsSchema,
    compression: z
      .enum(['gzip', 'none'])
      .default('gzip')
      .describe('How requests are compressed: gzip or none.'),
    // The usual limit of a server for gRPC is 4 MiB.
    max_request_mib: requestSizeSchema(4),
    ...sendingKeys(),
  })
  .describe('Sends spans over OTLP/gRPC.');

/** `exporters.otlphttp` */
export const otlpHttpExporterSchema = z
  .strictObject({
    endpoint: serversSchema(
      'http',
      'URL of the server, such as http://collector:4318, or a list of these. A name stands for all its addresses. /v1/traces is put behind the path.',
    ).optional(),
    traces_endpoint: serversSchema(
      'http',
      'The same with the whole path, in place of endpoint.',
    ).optional(),
    tls: clientTlsSchema,
    compression: z
      .enum(['gzip', 'zstd', 'none'])
      .default('gzip')
      .describe('How requests are compressed: gzip, zstd or none.'),
    max_request_mib: requestSizeSchema(16),
    ...sendingKeys(),
  })
  .superRefine(({ endpoint, traces_endpoint: traces }, context) => {
    if ((endpoint === undefined) !== (traces === undefined)) return;
    context.addIssue({
      code: 'custom',
      path: ['endpoint'],
      message: 'names no server: set it, or traces_endpoint instead, but not both',
    });
  })
  .describe('Sends spans over OTLP/HTTP, as protobuf.');
