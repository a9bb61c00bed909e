// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { SpoorError } from '@spoor/core/model/errors.ts';

/** Longer chains are not followed. */
const MAX_CHAIN = 10;

const BLOCK = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----.*?-----END [^-]*-----/gs;

/**
 * The certificates of a PEM file, at least one.
 * @param where path of the key in the configuration
 * @throws {SpoorError} config: there is none, or one cannot be read
 */
export function readCertificates(where: string, pem: Buffer): X509Certificate[] {
  const blocks = pem.toString('latin1').match(BLOCK);
  if (blocks === null) throw new SpoorError('config', `${where}: holds no certificate`);
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    const { message } = error as Error;
    throw new SpoorError('config', `${where}: ${message}`, { cause: error });
  }
}

/**
 * Whether one of these CAs has made a certificate, itself or by way of others. That certificates are valid and may make others
 * was seen in the handshake.
 */
export function isIssuedBy(
  certificate: X509Certificate | undefined,
  cas: readonly X509Certificate[],
): boolean {
  let current = certificate;
  for (let depth = 0; current !== undefined && depth < MAX_CHAIN; depth++) {
    const made = current;
    if (cas.some((ca) => isMadeBy(made, ca))) return true;
    const issuer: X509Certificate | undefined = made.issuerCertificate;
    if (issuer === undefined || !issuer.ca || !isMadeBy(made, issuer)) return false;
    current = issuer;
  }
  return false;
}

function isMadeBy(certificate: X509Certificate, ca: X509Certificate): boolean {
  return certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
}
