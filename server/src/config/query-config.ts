// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { endpointSchema } from './endpoint.ts';
import { PORTS } from './ports.ts';
import { serverTlsSchema } from './tls-config.ts';

/** `query` */
export const querySchema = z
  .strictObject({
    http: z
      .strictObject({
        enabled: z
          .boolean()
          .default(true)
          .describe('Whether the web page and API are served; false closes the port.'),
        endpoint: endpointSchema(PORTS.query, 'the web page and API'),
        tls: serverTlsSchema,
      })
      .prefault({})
      .describe('The web page and the query API.'),
    timeout_ms: z
      .int()
      .min(100)
      .max(3_600_000)
      .default(30_000)
      .describe('Milliseconds until an answer begins, and between two parts of it, at most.'),
    ui: z
      .strictObject({
        assets_path: z
          .string()
          .default('')
          .describe('Directory of the built web page; empty: the one that comes with Spoor.'),
      })
      .prefault({})
      .describe('The web page.'),
  })
  .prefault({})
  .describe('Reading traces.');
