// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { durationSchema } from './duration.ts';

const spans = z.int().min(0).max(1_000_000);

/** `processors.batch` */
export const batchProcessorSchema = z
  .strictObject({
    timeout: durationSchema(
      '200ms',
      'for how long spans wait at most while others are written; where nothing is written they do not wait.',
    ),
    send_batch_size: spans
      .default(8192)
      .describe('Spans that go on at once, though others are still written; 0: all that come.'),
    send_batch_max_size: spans
      .default(0)
      .describe('Spans in a batch at most: larger ones are split; 0: no limit.'),
  })
  .refine(({ send_batch_size: size, send_batch_max_size: most }) => most === 0 || size <= most, {
    path: ['send_batch_max_size'],
    error: 'must be at least send_batch_size, or 0',
  })
  .prefault({})
  .describe('Joins small batches that wait at the same time, and splits large ones.');
export type BatchProcessorConfig = z.output<typeof batchProcessorSchema>;
