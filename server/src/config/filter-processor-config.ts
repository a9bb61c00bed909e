// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { spanMatchSchema } from './span-match-config.ts';

/** `processors.filter` */
export const filterProcessorSchema = z
  .strictObject({
    spans: z
      .strictObject({
        include: spanMatchSchema.optional().describe('Only these spans are kept.'),
        exclude: spanMatchSchema.optional().describe('These are dropped, also when included.'),
      })
      .refine(({ include, exclude }) => include !== undefined || exclude !== undefined, {
        error: 'must have include or exclude',
      })
      .describe('Which spans are kept.'),
  })
  .describe('Drops spans; their senders are told that they were taken.');
export type FilterProcessorConfig = z.output<typeof filterProcessorSchema>;
