// SPDX-License-Identifier: Apache-2.0
// First, since all schemas heed it.
import './zod-settings.ts';
import { z } from 'zod';
import { authSchema } from './auth-config.ts';
import { EXPORTER_SCHEMAS, PROCESSOR_SCHEMAS, RECEIVER_SCHEMAS } from './component-schemas.ts';
import { memoryLimits } from './memory-limits.ts';
import { memoryShares, MIN_MEMORY_LIMIT_MIB } from './memory-shares.ts';
import { namedComponentsSchema } from './named-components.ts';
import { PIPELINE_SCHEMAS } from './pipeline-config.ts';
import { LISTEN_HOST } from './ports.ts';
import { querySchema } from './query-config.ts';
import { samplingSchema } from './sampling-config.ts';
import { storageSchema } from './storage-config.ts';
import { telemetrySchema } from './telemetry-config.ts';
import { tenancySchema } from './tenancy-config.ts';

/** Ids in the sections whose keys the user names. */
export interface ComponentIds {
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
  readonly pipelines: readonly string[];
}

/**
 * The whole configuration: one schema per component, in files of their own.
 * @param ids of the components that are there
 */
export function configSchema(ids: ComponentIds) {
  return z
    .strictObject({
      memory_limit_mib: z
        .int()
        .min(MIN_MEMORY_LIMIT_MIB)
        .max(65_536)
        .default(400)
        .describe('MiB of memory for the whole process; beyond it senders are told to try again.'),
      listen_host: z
        .string()
        .regex(/^[A-Za-z0-9._:%-]+$/, { error: 'must be a name or an address without a port' })
        .default(LISTEN_HOST)
        .describe('Where everything listens whose endpoint is not set, on its usual port.'),
      receivers: namedComponentsSchema(RECEIVER_SCHEMAS, ids.receivers, 'Where spans come in.'),
      processors: namedComponentsSchema(
        PROCESSOR_SCHEMAS,
        ids.processors,
        'What happens to spans on their way.',
      ),
      exporters: namedComponentsSchema(EXPORTER_SCHEMAS, ids.exporters, 'Where spans go.'),
      service: z
        .strictObject({
          pipelines: namedComponentsSchema(
            PIPELINE_SCHEMAS,
            ids.pipelines,
            'Which receivers, processors and exporters are used, and how spans go through them.',
          ),
        })
        .prefault({ pipelines: {} })
        .describe('How the components belong together.'),
      sampling: samplingSchema,
      storage: storageSchema,
      query: querySchema,
      tenancy: tenancySchema,
      auth: authSchema,
      telemetry: telemetrySchema,
    })
    .superRefine((config, context) => {
      // A body that never fits would be refused as "try again" for ever.
      if (config.memory_limit_mib < MIN_MEMORY_LIMIT_MIB) return;
      const { limitMib } = memoryLimits(config);
      if (limitMib < MIN_MEMORY_LIMIT_MIB) {
        context.addIssue({
          code: 'custom',
          path: ['memory_limit_mib'],
          message: `a memory_limiter leaves ${limitMib} MiB, less than ${MIN_MEMORY_LIMIT_MIB}`,
        });
        return;
      }
      const bodiesMib = memoryShares(limitMib).bodiesBytes / (1024 * 1024);
      // A tenant never gets more than half, see TenantShares.
      const roomMib = config.tenancy.enabled ? Math.floor(bodiesMib / 2) : bodiesMib;
      const whose = config.tenancy.enabled ? 'bodies of one tenant' : 'bodies';
      for (const { path, mib } of bodyCaps(config.receivers, ['receivers'])) {
        if (mib <= roomMib) continue;
        context.addIssue({
          code: 'custom',
          path,
          message: `must be at most the ${roomMib} MiB that memory_limit_mib (${limitMib}) leaves for ${whose}`,
        });
      }
    });
}

/** Every `max_body_mib` below a section. */
function* bodyCaps(section: object, path: string[]): Generator<{ path: string[]; mib: number }> {
  for (const [name, value] of Object.entries(section)) {
    const at = [...path, name];
    if (name === 'max_body_mib' && typeof value === 'number') yield { path: at, mib: value };
    else if (typeof value === 'object' && value !== null) yield* bodyCaps(value, at);
  }
}

/** A validated configuration with every default filled in. */
export type SpoorConfig = z.output<ReturnType<typeof configSchema>>;
