// SPDX-License-Identifier: Apache-2.0
import type { ListeningSettings } from './listening-socket.ts';
import type { Logger } from './logger.ts';
import type { Tenancy } from './tenancy.ts';

/** Whether a listener on a host is for this machine only. */
export function isThisMachine(host: string): boolean {
  return /^(?:127\.|::1$|localhost$)/.test(host);
}

/**
 * Warns where tokens come from other machines in clear text: whoever is on the way can read them.
 * @param path of the listener's section in the configuration
 */
export function warnOfClearTokens(
  path: string,
  { host, tls }: Pick<ListeningSettings, 'host' | 'tls'>,
  tenancy: Tenancy,
  logger: Logger,
): void {
  if (tenancy.challenges === undefined || tls !== undefined || isThisMachine(host)) return;
  logger.warn(
    {},
    `${path}: tokens come here in clear text; set ${path}.tls unless a proxy before it speaks TLS`,
  );
}
