// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { TENANT_NAME } from '@spoor/core/model/ids.ts';

/** What a tenant can be called, in words. */
export const TENANT_NAME_RULE = 'must be 1 to 64 of the characters A-Z a-z 0-9 _ -';

/** `tenancy` */
export const tenancySchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe(
        'Whether each request must name its tenant; false: all data is of the tenant default.',
      ),
    header: z
      .string()
      // What both an HTTP header and a gRPC metadata key of text can be called.
      .regex(/^(?!grpc-)[a-z0-9][a-z0-9_-]{0,62}(?<!-bin)$/i, {
        error: 'must be a name of letters, digits, - and _, not grpc-... or ...-bin',
      })
      .default('x-tenant')
      .describe('HTTP header and gRPC metadata key that names the tenant.'),
    tenants: z
      .array(z.string().regex(TENANT_NAME, TENANT_NAME_RULE))
      .default([])
      .describe('Tenants that are let in; empty: every name.'),
    max_tenants: z
      .int()
      .min(1)
      .max(100_000)
      .default(1000)
      .describe(
        'Tenants that may have spans in memory at once, in the columnar store; spans of one more are refused until these are in blocks, within a minute or so. Ten times as many may be stored.',
      ),
  })
  .prefault({})
  .describe('Several tenants that see nothing of each other.');
