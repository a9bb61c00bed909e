// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { TENANT_NAME } from '@spoor/core/model/ids.ts';
import { TENANT_NAME_RULE } from './tenancy-config.ts';

const hours = z.number().positive().max(876_000);

const limits = {
  max_age_hours: hours
    .optional()
    .describe(
      'Hours that a span is kept after it came in, and up to a block and an hour longer; without it spans do not age.',
    ),
  services: z
    .record(z.string(), z.strictObject({ max_age_hours: hours }))
    .default({})
    .describe('Ages of single services by name, longer or shorter than that of the others.'),
  max_mib: z
    .int()
    .min(1)
    .max(1_000_000_000)
    .optional()
    .describe(
      'MiB of sealed blocks that are kept; beyond it the oldest go. Without it there is no limit.',
    ),
};

const retentionSchema = z
  .strictObject({
    ...limits,
    tenants: z
      .record(z.string().regex(TENANT_NAME, TENANT_NAME_RULE), z.strictObject(limits))
      .default({})
      .describe(
        'Limits of single tenants by name: an age in place of the one above, and a size of their own.',
      ),
  })
  .prefault({})
  .describe('How long and how much the columnar store keeps.');

/** `exporters.storage`: everything else is in `storage`, since it is read from as well. */
export const storageExporterSchema = z
  .strictObject({})
  .prefault({})
  .describe('Writes to the store of this process, which the section `storage` sets up.');

/** `storage` */
export const storageSchema = z
  .strictObject({
    type: z
      .enum(['columnar', 'memory'])
      .default('columnar')
      .describe('columnar keeps spans on disk; memory forgets them when the process ends.'),
    directory: z
      .string()
      .min(1)
      .default('./spoor-data')
      .describe('Data directory of the columnar store; --data and SPOOR_DATA set it too.'),
    min_free_mib: z
      .int()
      .min(0)
      .max(1_000_000_000)
      .default(64)
      .describe(
        'MiB of the disk that stay free, on a small disk 5 % of it, and never less than what sealing the spans in memory may take: below that new spans are refused until there is room.',
      ),
    merge: z
      .boolean()
      .default(true)
      .describe('Blocks are merged in the background; false leaves it to `spoor store compact`.'),
    retention: retentionSchema,
    memory: z
      .strictObject({
        max_spans: z
          .int()
          .min(1)
          .max(100_000_000)
          .default(200_000)
          .describe('Spans kept by the memory store; beyond it the oldest go.'),
        max_mib: z
          .int()
          .min(8)
          .max(65_536)
          .default(128)
          .describe('MiB of spans kept by the memory store; beyond it the oldest go.'),
      })
      .prefault({})
      .describe('Options of the memory store.'),
  })
  .prefault({})
  .describe('Where spans are kept.');
