// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { hasUser, parseEndpoint, type Endpoint } from './endpoint.ts';

/** A server that an exporter sends to. */
export interface ServerEndpoint extends Endpoint {
  /** Undefined where the endpoint says nothing of it. */
  readonly scheme: 'http' | 'https' | undefined;
  /** Path and query, without a slash at its end; empty for gRPC. */
  readonly path: string;
}

const EXPECTED = {
  grpc: 'must be host:port, for example collector:4317, or a list of these',
  http: 'must be a URL, for example http://collector:4318, or a list of these',
} as const;

/** How a server is named: `host:port` for gRPC, a URL for HTTP. */
type Form = keyof typeof EXPECTED;

/** Most servers of one exporter. */
const MAX_SERVERS = 100;

/** Schema of the servers of an exporter: one, or a list. */
export function serversSchema(form: Form, what: string) {
  const error = EXPECTED[form];
  const one = z
    .string({ error })
    .refine((text) => parseServer(form, text) !== undefined, { error });
  return z.union([one, z.array(one).min(1).max(MAX_SERVERS)], { error }).describe(what);
}

/**
 * The servers of a validated configuration.
 * @throws {RangeError} when it was not validated
 */
export function readServers(
  form: Form,
  texts: string | readonly string[] | undefined,
): ServerEndpoint[] {
  return [texts ?? []].flat().map((text) => {
    const server = parseServer(form, text);
    if (server === undefined) throw new RangeError(`${JSON.stringify(text)} is no endpoint`);
    return server;
  });
}

function parseServer(form: Form, text: string): ServerEndpoint | undefined {
  return form === 'http' ? parseUrl(text) : parseTarget(text);
}

function parseTarget(text: string): ServerEndpoint | undefined {
  const [, prefix, rest] = /^(https?:\/\/|dns:\/\/\/|)(.*)$/.exec(text) ?? [];
  const endpoint = parseEndpoint(rest ?? '');
  // As something to connect to, a wildcard or a port of 0 makes no sense.
  if (endpoint === undefined || rest?.startsWith(':') === true || endpoint.port === 0)
    return undefined;
  const scheme = prefix === 'http://' ? 'http' : prefix === 'https://' ? 'https' : undefined;
  return { ...endpoint, scheme, path: '' };
}

function parseUrl(text: string): ServerEndpoint | undefined {
  const url = URL.parse(text);
  if (url === null || url.hostname === '' || hasUser(url) || url.hash !== '') return undefined;
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  const isTls = url.protocol === 'https:';
  return {
    host: url.hostname.replaceAll(/^\[|\]$/g, ''),
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    scheme: isTls ? 'https' : 'http',
    path: `${url.pathname.replace(/\/+$/, '')}${url.search}`,
  };
}
