// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { durationSchema } from './duration.ts';
import { MIN_MEMORY_LIMIT_MIB } from './memory-shares.ts';

const percentage = z.number().min(0).max(100).default(0);

/** `processors.memory_limiter` */
export const memoryLimiterSchema = z
  .strictObject({
    check_interval: durationSchema(
      '1s',
      'accepted from configurations of the collector; memory is looked at every 50 ms.',
    ),
    limit_mib: z
      .int()
      .max(65_536)
      .default(0)
      .refine((mib) => mib === 0 || mib >= MIN_MEMORY_LIMIT_MIB, {
        error: `must be at least ${MIN_MEMORY_LIMIT_MIB}`,
      })
      .describe(
        'MiB of memory for the whole process, in place of memory_limit_mib; 0: the percentage.',
      ),
    spike_limit_mib: z
      .int()
      .min(0)
      .max(65_536)
      .default(0)
      .describe('MiB below the limit from which on requests are refused; 0: a fifth of the limit.'),
    limit_percentage: percentage.describe('The limit in percent of the memory there is.'),
    spike_limit_percentage: percentage.describe(
      'As spike_limit_mib, in percent of the memory there is.',
    ),
  })
  .refine(({ limit_mib: mib, limit_percentage: share }) => mib + share > 0, {
    error: 'must have limit_mib or limit_percentage',
  })
  .refine(({ limit_mib: mib, spike_limit_mib: spike }) => mib === 0 || spike < mib, {
    path: ['spike_limit_mib'],
    error: 'must be less than limit_mib',
  })
  .refine(
    ({ limit_percentage: share, spike_limit_percentage: spike }) => share === 0 || spike < share,
    { path: ['spike_limit_percentage'], error: 'must be less than limit_percentage' },
  )
  .describe('The memory limit of the process, in the form of the collector.');
export type MemoryLimiterConfig = z.output<typeof memoryLimiterSchema>;
