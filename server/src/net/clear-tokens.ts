// SPDX-License-Identifier: Apache-2.0
import type { ListeningSettings } from './listening-socket.ts';
import type { Logger } from './logger.ts';
import type { Tenancy } from './tenancy.ts';

const THIS_MACHINE = /^(?:127\.|::1$|localhost$)/;

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
  if (tenancy.challenges === undefined || tls !== undefined || THIS_MACHINE.test(host)) return;
  logger.warn(
    {},
    `${path}: tokens come here in clear text; set ${path}.tls unless a proxy before it speaks TLS`,
  );
}
