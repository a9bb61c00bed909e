// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { endpointSchema } from './endpoint.ts';
import { serverTlsSchema } from './tls-config.ts';

/** Schema of a time. */
function milliseconds(usual: number, what: string): z.ZodDefault<z.ZodInt> {
  return z.int().min(10).max(86_400_000).default(usual).describe(`Milliseconds: ${what}`);
}

/** Schema of the key that switches a receiver on. */
export function enabled(what: string): z.ZodDefault<z.ZodBoolean> {
  return z.boolean().default(true).describe(`Whether ${what} is served; false closes the port.`);
}

/** Schema of `protocols`: as in the collector, those are served that are there. */
export function protocolsSchema<Shape extends Readonly<Record<string, z.ZodOptional>>>(
  shape: Shape,
) {
  const names = Object.keys(shape).join(', ');
  return (
    z
      .strictObject(shape)
      // Each protocol is optional, which is not seen of a shape that is not known yet.
      .prefault({} as z.input<z.ZodObject<Shape, z.core.$strict>>)
      .refine((protocols) => Object.keys(protocols).length > 0, {
        error: `names no protocol; there are: ${names}`,
      })
      .describe('The protocols that are served: those that are here.')
  );
}

const maxBodyMib = z
  .int()
  .min(1)
  .max(64)
  .default(16)
  .describe('MiB, before and after decompression: a larger request is refused.');

const maxConnections = z
  .int()
  .min(1)
  .max(1_000_000)
  .default(16_384)
  .describe('Connections open at the same time; more are closed at once.');

const BODY_IDLE = 'longest pause while the body of a request comes.';
const REQUEST = 'time for a whole request to come.';

/**
 * Keys of every receiver over gRPC.
 * @param what how the texts call the protocol
 */
export function grpcKeys(port: number, what: string) {
  return {
    enabled: enabled(what),
    endpoint: endpointSchema(port, what),
    tls: serverTlsSchema,
    max_body_mib: maxBodyMib,
    max_connections: maxConnections,
    max_concurrent_streams: z
      .int()
      .min(1)
      .max(100_000)
      .default(100)
      .describe('Requests at the same time on one connection.'),
    handshake_timeout_ms: milliseconds(10_000, 'time for a new connection to become HTTP/2.'),
    body_idle_timeout_ms: milliseconds(15_000, BODY_IDLE),
    request_timeout_ms: milliseconds(60_000, REQUEST),
    keepalive_time_ms: milliseconds(60_000, 'quiet time after which a connection is pinged.'),
    keepalive_timeout_ms: milliseconds(
      20_000,
      'time for the answer to a ping, else the connection is closed.',
    ),
    max_connection_idle_ms: milliseconds(
      1_800_000,
      'time without requests after which a connection is closed.',
    ),
    max_connection_age_ms: z
      .int()
      .min(0)
      .max(86_400_000)
      .default(0)
      .describe(
        'Milliseconds after which a connection is closed, so that clients behind a balancer spread anew; 0: never.',
      ),
    max_connection_age_grace_ms: milliseconds(
      60_000,
      'time that requests have to finish when the age is reached.',
    ),
  };
}

const corsSchema = z
  .strictObject({
    allowed_origins: z
      .array(z.string())
      .default([])
      .describe(
        'Origins of web pages that may send spans, such as https://shop.example, https://*.example or *; empty: none.',
      ),
    allowed_headers: z
      .array(z.string())
      .default([])
      .describe(
        'Request headers that such pages may set beside Content-Type and Content-Encoding.',
      ),
    max_age_s: z
      .int()
      .min(0)
      .max(86_400)
      .default(7200)
      .describe('Seconds for which a browser may remember the permission.'),
  })
  .prefault({})
  .describe('Sending spans from web pages of other origins.');

/** Keys of every receiver over HTTP; see {@link grpcKeys}. */
export function httpKeys(port: number, what: string) {
  return {
    enabled: enabled(what),
    endpoint: endpointSchema(port, what),
    tls: serverTlsSchema,
    max_body_mib: maxBodyMib,
    max_connections: maxConnections,
    max_header_kib: z
      .int()
      .min(4)
      .max(1024)
      .default(64)
      .describe('KiB of request line and headers.'),
    headers_timeout_ms: milliseconds(10_000, 'time for the headers of a request to come.'),
    body_idle_timeout_ms: milliseconds(15_000, BODY_IDLE),
    request_timeout_ms: milliseconds(60_000, REQUEST),
    keep_alive_timeout_ms: milliseconds(
      120_000,
      'how long a connection may wait for its next request.',
    ),
    cors: corsSchema,
  };
}
