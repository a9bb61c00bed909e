// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

function limitSchema(whose: string) {
  return z
    .strictObject({
      spans_per_second: z
        .number()
        .min(0)
        .max(1e9)
        .default(0)
        .describe('Spans a second; 0: no limit.'),
      burst: z
        .int()
        .min(0)
        .max(1e9)
        .default(0)
        .describe('Spans that may come at once after a pause; 0: those of two seconds.'),
    })
    .prefault({})
    .describe(whose);
}

/** `processors.rate_limiting` */
export const rateLimitingSchema = z
  .strictObject({
    per_service: limitSchema('What each service of a tenant may send.'),
    per_tenant: limitSchema('What each tenant may send.'),
    max_services: z
      .int()
      .min(1)
      .max(100_000)
      .default(1000)
      .describe('Services with a limit of their own at a time; those beyond share one.'),
    on_limit: z
      .enum(['refuse', 'drop'])
      .default('refuse')
      .describe(
        'What becomes of spans beyond the limit: refuse the request they came in, to be sent again later, or drop them.',
      ),
  })
  .refine(
    ({ per_service: service, per_tenant: tenant }) =>
      service.spans_per_second + tenant.spans_per_second > 0,
    { error: 'must have spans_per_second per_service or per_tenant' },
  )
  .describe('Limits the spans a second of services and tenants.');
export type RateLimitingConfig = z.output<typeof rateLimitingSchema>;
