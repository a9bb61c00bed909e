// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { quote } from '@spoor/core/model/errors.ts';
import { sendApiError } from './api-error.ts';

/**
 * Answers only requests that are for this server by name: an address, `localhost`, or one of some names. A page elsewhere may
 * have a name of its own point to this machine and then read, as if it came from here, what a browser here can reach ("DNS
 * rebinding"); addresses cannot be used so.
 * @param names lower case; `*` for any
 */
export function addKnownHosts(app: FastifyInstance, names: readonly string[]): void {
  if (names.includes('*')) return;
  app.addHook('onRequest', (request, reply, done) => {
    const { host } = request.headers;
    // Every browser tells it.
    if (host === undefined || isKnown(hostName(host), names)) {
      done();
      return;
    }
    const known = names.length === 0 ? '' : `, ${names.join(', ')}`;
    void sendApiError(
      request,
      reply,
      403,
      `${quote(host)} is no name of this server, only addresses and localhost${known}; see query.http.allowed_hosts`,
    );
  });
}

function isKnown(name: string, names: readonly string[]): boolean {
  return isIP(name) !== 0 || /^(?:.*\.)?localhost\.?$/.test(name) || names.includes(name);
}

/** The name in a Host header, in lower case, without port and brackets. */
function hostName(host: string): string {
  const [, address, name] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host.toLowerCase()) ?? [];
  return address ?? name ?? host;
}
