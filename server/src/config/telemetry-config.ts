// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { endpointSchema } from './endpoint.ts';
import { PORTS } from './ports.ts';
import { serverTlsSchema } from './tls-config.ts';

/** Log levels, least to most talkative. */
const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

/** `telemetry` */
export const telemetrySchema = z
  .strictObject({
    log_level: z
      .enum(LOG_LEVELS)
      .default('info')
      .describe('Least important message that is logged to standard output, as JSON lines.'),
    health: z
      .strictObject({
        enabled: z
          .boolean()
          .default(true)
          .describe('Whether health, status and metrics are served; false closes the port.'),
        endpoint: endpointSchema(PORTS.health, 'health, status and metrics'),
        tls: serverTlsSchema,
      })
      .prefault({})
      .describe('GET /ready, /live, /health, /status and /metrics.'),
  })
  .prefault({})
  .describe("Spoor's own log, health and metrics.");
