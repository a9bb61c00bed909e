// SPDX-License-Identifier: Apache-2.0
import type { X509Certificate } from 'node:crypto';
import { LogThrottle, type Logger } from '#net/logger.ts';

const DAY_MS = 86_400_000;

/** How long before its end a certificate is warned of. */
const WARN_MS = 14 * DAY_MS;

/** Warns of a certificate that has ended or soon will: when it is first seen, and daily. */
export class ExpiryWatch {
  readonly #name: string;
  readonly #logger: Logger;
  #seen: X509Certificate | undefined;
  #throttle = new LogThrottle(DAY_MS);

  /** @param name path of the section in the configuration */
  constructor(name: string, logger: Logger) {
    this.#name = name;
    this.#logger = logger;
  }

  /** Looks at the certificate that is shown now; undefined: none is. */
  look(certificate: X509Certificate | undefined): void {
    if (certificate !== this.#seen) this.#throttle = new LogThrottle(DAY_MS);
    this.#seen = certificate;
    if (certificate === undefined) return;
    const { subject, validToDate } = certificate;
    const leftMs = validToDate.getTime() - Date.now();
    if (leftMs > WARN_MS) return;
    const what = leftMs <= 0 ? 'has ended' : `ends in ${Math.ceil(leftMs / DAY_MS)} days`;
    this.#throttle.log(() =>
      this.#logger.warn(
        { subject, notAfter: validToDate.toISOString() },
        `${this.#name}: the certificate ${what}`,
      ),
    );
  }
}
