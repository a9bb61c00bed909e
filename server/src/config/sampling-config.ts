// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { endpointSchema, hasUser } from './endpoint.ts';
import { PORTS } from './ports.ts';
import { enabled, grpcKeys } from './receiver-config.ts';
import { clientTlsSchema, serverTlsSchema } from './tls-config.ts';

/** `sampling` */
export const samplingSchema = z
  .strictObject({
    strategies_file: z
      .string()
      .refine(
        (location) => {
          const url = /^https?:/i.test(location) ? URL.parse(location) : null;
          return url === null || !hasUser(url);
        },
        { error: 'must be without user and password' },
      )
      .default('')
      .describe(
        "Path or http(s) address of a strategies file in Jaeger's form; empty: every service has the default probability.",
      ),
    tls: clientTlsSchema
      .optional()
      .describe('TLS to the server of strategies_file, where that begins with https.'),
    reload_interval_ms: z
      .int()
      .min(0)
      .max(86_400_000)
      .default(1000)
      .describe('Milliseconds after which the file is read again; 0: never.'),
    default_sampling_probability: z
      .number()
      .min(0)
      .max(1)
      .default(1)
      .describe('Share of traces that is kept where the file says nothing, 0 to 1.'),
    http: z
      .strictObject({
        enabled: enabled('sampling over HTTP'),
        endpoint: endpointSchema(PORTS.samplingHttp, 'sampling over HTTP'),
        tls: serverTlsSchema,
      })
      .prefault({})
      .describe('GET /sampling?service=NAME.'),
    grpc: z
      .strictObject(grpcKeys(PORTS.samplingGrpc, 'sampling over gRPC'))
      .prefault({})
      .describe("Jaeger's SamplingManager."),
  })
  .prefault({})
  .describe(
    'What SDKs with a remote sampler are told: how many of the new traces of a service to keep.',
  );
