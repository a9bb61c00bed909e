// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Reason to skip tests that need certificates, or false: for the options of `test`. */
export const NO_OPENSSL: string | false =
  spawnSync('openssl', ['version']).status === 0
    ? false
    : 'there is no openssl to make certificates';

/** Files of a certificate and its key. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** What a certificate is made with. */
export interface CertificateOptions {
  readonly ca?: CertificateFiles;
  /** Days until it ends, enough for no warning unless told otherwise; negative: it has ended. */
  readonly days?: number;
  readonly password?: string;
  /** Whether it may make others. */
  readonly isCa?: boolean;
}

/** Certificates in a directory that is removed at the end of its scope. */
export class TestCertificates {
  readonly directory = mkdtempSync(join(tmpdir(), 'spoor-tls-'));

  /** Path of a file here. */
  path(name: string): string {
    return join(this.directory, name);
  }

  /** A CA. */
  ca(name: string): CertificateFiles {
    const files = this.#files(name);
    this.#openssl(
      ['req', '-x509', ...NEW_KEY, '-nodes', '-subj', `/CN=${name}`, '-days', '2'],
      // Python wants it of a CA from 3.13 on.
      ['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
      ['-keyout', files.keyFile, '-out', files.certFile],
    );
    return files;
  }

  /** A certificate for localhost and 127.0.0.1, also for a client; of a CA, or of itself. */
  make(
    name: string,
    { ca, days = 20, password, isCa = false }: CertificateOptions = {},
  ): CertificateFiles {
    const files = this.#files(name);
    const encryption = password === undefined ? ['-nodes'] : ['-passout', `pass:${password}`];
    const names = 'subjectAltName=DNS:localhost,DNS:collector.example,IP:127.0.0.1';
    const request = this.path(`${name}.csr`);
    this.#openssl(
      ['req', ...NEW_KEY, ...encryption, '-subj', `/CN=${name}`],
      ['-keyout', files.keyFile, '-out', request],
    );
    const extensions = this.path(`${name}.ext`);
    writeFileSync(
      extensions,
      `${names}\nbasicConstraints=critical,CA:${isCa ? 'TRUE' : 'FALSE'}\n${KEY_IDS}`,
    );
    const signed =
      ca === undefined ? ['-signkey', files.keyFile] : ['-CA', ca.certFile, '-CAkey', ca.keyFile];
    const key = password === undefined ? [] : ['-passin', `pass:${password}`];
    this.#openssl(
      ['x509', '-req', '-in', request, ...signed, ...key, '-days', String(days)],
      ['-extfile', extensions, '-out', files.certFile],
    );
    return files;
  }

  /** A certificate, its key, and a CA as PKCS#12. */
  pkcs12(
    name: string,
    { certFile, keyFile }: CertificateFiles,
    password: string,
    ca?: CertificateFiles,
  ): string {
    const out = this.path(`${name}.p12`);
    const chain = ca === undefined ? [] : ['-certfile', ca.certFile];
    this.#openssl(
      ['pkcs12', '-export', '-in', certFile, '-inkey', keyFile, ...chain],
      ['-passout', `pass:${password}`, '-out', out],
    );
    return out;
  }

  /** Writes a file here. */
  write(name: string, content: string | Uint8Array): string {
    const path = this.path(name);
    writeFileSync(path, content);
    return path;
  }

  /** Contents for a client that shows a certificate. */
  read({ certFile, keyFile }: CertificateFiles): { cert: Buffer; key: Buffer } {
    return { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #files(name: string): CertificateFiles {
    return { certFile: this.path(`${name}.crt`), keyFile: this.path(`${name}.key`) };
  }

  #openssl(...args: readonly string[][]): void {
    execFileSync('openssl', args.flat(), { stdio: 'pipe' });
  }
}

/** Python wants them from 3.13 on. */
const KEY_IDS = 'subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n';

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
