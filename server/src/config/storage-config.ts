// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

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
