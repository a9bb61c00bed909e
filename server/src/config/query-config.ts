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
        allowed_hosts: z
          .array(z.string().regex(/^(?:\*|[A-Za-z0-9._-]+)$/, { error: 'must be a name, or *' }))
          .optional()
          .describe(
            'Names by which browsers may call the server, beside localhost and addresses; * for any. Not set: any, but on an address of this machine without tls none, so that no page elsewhere can read through a browser here.',
          ),
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
