// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, type X509Certificate } from 'node:crypto';
import { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { FileContents } from './watched-files.ts';

/** Oldest version of TLS that is spoken. */
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** Where a certificate and its key are: in PEM files, or in a PKCS#12 file. Empty texts are not set. */
export interface TlsIdentitySettings {
  /** PEM: the certificate, and those of the CAs between after it. */
  readonly certFile: string;
  /** PEM. */
  readonly keyFile: string;
  readonly keyPassword: string;
  readonly keyPasswordFile: string;
  /** Certificate, key and CAs in one. */
  readonly pkcs12File: string;
  readonly pkcs12Password: string;
  readonly pkcs12PasswordFile: string;
}

/** A TLS context, and the certificate that it shows. */
export interface TlsContext {
  readonly context: SecureContext;
  /** Undefined when it shows none. */
  readonly certificate: X509Certificate | undefined;
}

/** Paths of the files of an identity, by the names of their keys. */
export function identityPaths(settings: TlsIdentitySettings): Record<string, string> {
  return {
    cert_file: settings.certFile,
    key_file: settings.keyFile,
    key_password_file: settings.keyPasswordFile,
    pkcs12_file: settings.pkcs12File,
    pkcs12_password_file: settings.pkcs12PasswordFile,
  };
}

/**
 * Makes a TLS context of the files of {@link identityPaths}.
 * @param name path of the section in the configuration
 * @param more what the context has besides
 * @throws {SpoorError} config: they are not what they should be
 */
export function createTlsContext(
  name: string,
  settings: TlsIdentitySettings,
  contents: FileContents,
  more: SecureContextOptions,
): TlsContext {
  for (const [key, bytes] of Object.entries(contents)) {
    if (bytes !== undefined) checkForm(`${name}.${key}`, key, bytes);
  }
  const { cert_file: cert, key_file: key, pkcs12_file: pfx } = contents;
  const passphrase =
    pfx === undefined
      ? passwordOf(settings.keyPassword, contents['key_password_file'])
      : passwordOf(settings.pkcs12Password, contents['pkcs12_password_file']);
  try {
    const context = createSecureContext({ ...more, cert, key, pfx, passphrase });
    const hasCertificate = cert !== undefined || pfx !== undefined;
    return { context, certificate: hasCertificate ? certificateOf(context) : undefined };
  } catch (error) {
    const own = key !== undefined && !isKey(key, passphrase) ? 'key_file' : 'cert_file';
    const at = pfx !== undefined ? 'pkcs12_file' : cert !== undefined ? own : 'ca_file';
    const why = explain((error as Error).message, passphrase !== undefined);
    throw new SpoorError('config', `${name}.${at}: ${why}`, { cause: error });
  }
}

function passwordOf(text: string, file: Buffer | undefined): string | undefined {
  // Editors end a file with a line break that is no part of the password.
  const password = file === undefined ? text : file.toString('utf8').replace(/\r?\n$/, '');
  return password === '' ? undefined : password;
}

function isKey(key: Buffer, passphrase: string | undefined): boolean {
  try {
    createPrivateKey({ key, ...(passphrase === undefined ? {} : { passphrase }) });
    return true;
  } catch {
    return false;
  }
}

const JKS_MAGIC = 0xfe_ed_fe_ed;

/** Says what a file is instead of what it should be, where that can be told; OpenSSL only says that it is wrong. */
function checkForm(where: string, key: string, bytes: Buffer): void {
  if (key.endsWith('password_file')) return;
  if (bytes.length >= 4 && bytes.readUInt32BE(0) === JKS_MAGIC) {
    throw new SpoorError(
      'config',
      `${where}: is a Java keystore (JKS), which cannot be read; convert it with: keytool -importkeystore -srckeystore FILE.jks -destkeystore FILE.p12 -deststoretype PKCS12, and name FILE.p12 in pkcs12_file`,
    );
  }
  const isPem = bytes.includes('-----BEGIN ');
  if (key === 'pkcs12_file' && isPem) {
    throw new SpoorError('config', `${where}: is PEM, which belongs into cert_file and key_file`);
  }
  if (key !== 'pkcs12_file' && !isPem) {
    throw new SpoorError(
      'config',
      `${where}: is not PEM, there is no line -----BEGIN ...-----; a PKCS#12 file belongs into pkcs12_file`,
    );
  }
  if (key === 'pkcs12_file') return;
  const [what, end] = key === 'key_file' ? ['private key', 'PRIVATE KEY-----'] : CERTIFICATE;
  if (!bytes.includes(end)) throw new SpoorError('config', `${where}: holds no ${what}`);
}

const CERTIFICATE = ['certificate', 'CERTIFICATE-----'] as const;

/** What OpenSSL means. */
function explain(message: string, hasPassword: boolean): string {
  if (/values? mismatch/i.test(message)) {
    return 'the certificate and the key do not belong together';
  }
  if (/mac verify failure|bad decrypt|bad password|interrupted or cancelled/i.test(message)) {
    return hasPassword ? 'the password is wrong' : 'is encrypted and needs a password';
  }
  if (/unsupported/i.test(message)) {
    return `is encrypted in a way that OpenSSL 3 does not read any more, as old tools did: export it anew (${message})`;
  }
  return message;
}

/** The certificate that a context shows, which a PKCS#12 file does not say by itself. */
function certificateOf(context: SecureContext): X509Certificate | undefined {
  const nowhere = new Duplex({ read: () => undefined, write: () => undefined });
  const socket = new TLSSocket(nowhere, { isServer: true, secureContext: context });
  try {
    return socket.getX509Certificate();
  } finally {
    socket.destroy();
  }
}
