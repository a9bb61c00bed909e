// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

/** `exporters.debug` */
export const debugExporterSchema = z
  .strictObject({
    verbosity: z
      .enum(['basic', 'normal', 'detailed'])
      .default('basic')
      .describe(
        'basic: a line for each batch; normal: the tree of each trace; detailed: attributes, events and links as well.',
      ),
    max_lines_per_second: z
      .int()
      .min(1)
      .max(100_000)
      .default(1000)
      .describe('Lines at most; of what is more only the number of spans is told.'),
  })
  .prefault({})
  .describe('Prints spans on standard output.');
