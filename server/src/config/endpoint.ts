// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { LISTEN_HOST } from './ports.ts';

/** Where a listener is bound. */
export interface Endpoint {
  /** Name or address, an IPv6 address without its brackets. */
  readonly host: string;
  /** 0 to 65535; 0 is any free port. */
  readonly port: number;
}

/** Whether an address has a user or a password, which would be in logs and in what is printed. */
export function hasUser({ username, password }: URL): boolean {
  return username !== '' || password !== '';
}

/**
 * Reads `host:port`, `[ipv6]:port` or `:port` (all addresses, as in the OpenTelemetry collector).
 * @returns undefined when the text is none of them
 */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+(?:%[\w-]+)?)\]|([A-Za-z0-9._-]*)):([0-9]{1,5})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  if (port > 65_535) return undefined;
  const name = match[1] ?? match[2] ?? '';
  return { host: name === '' ? '0.0.0.0' : name, port };
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatEndpoint(endpoint: Endpoint): string {
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return `${host}:${endpoint.port}`;
}

/** The URL someone on this machine can open: a wildcard address is shown as `localhost`. */
export function formatHttpUrl(endpoint: Endpoint, path = '', scheme = 'http'): string {
  const wildcard = endpoint.host === '0.0.0.0' || endpoint.host === '::';
  return `${scheme}://${formatEndpoint({ ...endpoint, host: wildcard ? 'localhost' : endpoint.host })}${path}`;
}

const EXPECTED = 'must be host:port, for example 127.0.0.1:4317, with a port of 0 to 65535';

/** Schema of an `endpoint` key with its usual port. */
export function endpointSchema(port: number, what: string): z.ZodDefault<z.ZodString> {
  return z
    .string({ error: EXPECTED })
    .refine((text) => parseEndpoint(text) !== undefined, { error: EXPECTED })
    .default(`${LISTEN_HOST}:${port}`)
    .describe(`host:port that ${what} listens on; port 0 takes any free one.`);
}

/**
 * The endpoint of a validated configuration.
 * @throws {RangeError} when it was not validated
 */
export function readEndpoint(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (endpoint === undefined)
    throw new RangeError(`endpoint ${JSON.stringify(text)} is not host:port`);
  return endpoint;
}
