// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { jaegerReceiverSchema } from './jaeger-receiver-config.ts';
import { memoryShares, MIN_MEMORY_LIMIT_MIB } from './memory-shares.ts';
import { otlpReceiverSchema } from './otlp-receiver-config.ts';
import { querySchema } from './query-config.ts';
import { samplingSchema } from './sampling-config.ts';
import { storageSchema } from './storage-config.ts';
import { telemetrySchema } from './telemetry-config.ts';
import { tenancySchema } from './tenancy-config.ts';
import { zipkinReceiverSchema } from './zipkin-receiver-config.ts';

/** The whole configuration: one schema per component, in files of their own. */
export const configSchema = z
  .strictObject({
    memory_limit_mib: z
      .int()
      .min(MIN_MEMORY_LIMIT_MIB)
      .max(65_536)
      .default(400)
      .describe('MiB of memory for the whole process; beyond it senders are told to try again.'),
    receivers: z
      .strictObject({
        otlp: otlpReceiverSchema,
        jaeger: jaegerReceiverSchema,
        zipkin: zipkinReceiverSchema,
      })
      .prefault({})
      .describe('Where spans come in.'),
    sampling: samplingSchema,
    storage: storageSchema,
    query: querySchema,
    tenancy: tenancySchema,
    telemetry: telemetrySchema,
  })
  .superRefine((config, context) => {
    // A body that never fits would be refused as "try again" for ever.
    if (config.memory_limit_mib < MIN_MEMORY_LIMIT_MIB) return;
    const bodiesMib = memoryShares(config.memory_limit_mib).bodiesBytes / (1024 * 1024);
    // A tenant never gets more than half, see TenantShares.
    const roomMib = config.tenancy.enabled ? Math.floor(bodiesMib / 2) : bodiesMib;
    const whose = config.tenancy.enabled ? 'bodies of one tenant' : 'bodies';
    const { otlp, jaeger, zipkin } = config.receivers;
    const receivers = [
      ['otlp.protocols.grpc', otlp.protocols.grpc],
      ['otlp.protocols.http', otlp.protocols.http],
      ['jaeger.protocols.grpc', jaeger.protocols.grpc],
      ['jaeger.protocols.thrift_http', jaeger.protocols.thrift_http],
      ['zipkin', zipkin],
    ] as const;
    for (const [path, receiver] of receivers) {
      if (receiver.max_body_mib <= roomMib) continue;
      context.addIssue({
        code: 'custom',
        path: ['receivers', ...path.split('.'), 'max_body_mib'],
        message: `must be at most the ${roomMib} MiB that memory_limit_mib (${config.memory_limit_mib}) leaves for ${whose}`,
      });
    }
  });

/** A validated configuration with every default filled in. */
export type SpoorConfig = z.output<typeof configSchema>;
