// SPDX-License-Identifier: Apache-2.0
import { getCACertificates } from 'node:tls';
import type { ConnectionOptions, SecureContext } from 'node:tls';
import type { Logger } from '#net/logger.ts';
import { ExpiryWatch } from './expiry-watch.ts';
import {
  createTlsContext,
  identityPaths,
  type TlsContext,
  type TlsIdentitySettings,
  type TlsVersion,
} from './tls-identity.ts';
import { WatchedFiles, type FileContents, type ReloadFigures } from './watched-files.ts';

/** How a client speaks TLS. Empty texts are not set. */
export interface ClientTlsSettings extends TlsIdentitySettings {
  /** PEM: CAs that servers' certificates may come from; not set: those that Node knows. */
  readonly caFile: string;
  /** Whether the CAs of the system count beside `caFile`. */
  readonly includeSystemCas: boolean;
  /** Whether the certificate of a server is not looked at. */
  readonly skipVerify: boolean;
  /** Name that the certificate must have, and that the server is told; not set: the host of the address. */
  readonly serverName: string;
  readonly minVersion: TlsVersion;
  /** Pause after which the files are read again, in ms; 0: never. */
  readonly reloadIntervalMs: number;
}

/** What {@link ClientTls} gives to whoever connects. */
export type TlsConnectOptions = Pick<ConnectionOptions, 'rejectUnauthorized' | 'servername'> & {
  readonly secureContext: SecureContext;
};

/** Figures of a {@link ClientTls}. */
export interface ClientTlsFigures extends ReloadFigures {
  /** When the client's certificate ends, in Unix ms; undefined when it has none, and before the start. */
  readonly notAfterUnixMs: number | undefined;
}

/**
 * TLS of a client: CAs, and a certificate of its own where it has one, read again when the files change.
 *
 * Connections ask for {@link options} when they are made. A client that takes its options once, as those of grpc-js do, is
 * made anew when they are another object; what is under way on the old one may end in peace.
 */
export class ClientTls {
  readonly #settings: ClientTlsSettings;
  readonly #files: WatchedFiles<TlsContext>;

  /** @param name path of its section in the configuration, such as `exporters.otlp.tls` */
  constructor(name: string, settings: ClientTlsSettings, logger: Logger) {
    this.#settings = settings;
    const expiry = new ExpiryWatch(name, logger);
    this.#files = new WatchedFiles({
      name,
      what: 'certificate',
      paths: { ...identityPaths(settings), ca_file: settings.caFile },
      reloadIntervalMs: settings.reloadIntervalMs,
      parse: (contents) =>
        createTlsContext(name, settings, contents, {
          minVersion: settings.minVersion,
          ...trustOptions(settings, contents),
        }),
      onLook: ({ certificate }) => expiry.look(certificate),
      logger,
    });
  }

  /**
   * Options for the next connection, for `tls.connect`, `http2.connect`, `https.request` and all that hands options on to
   * them; the same object until the files change. For grpc-js: `credentials.createFromSecureContext(secureContext,
   * { rejectUnauthorized })`, and `grpc.ssl_target_name_override` and `grpc.default_authority` with `servername`.
   * @throws {SpoorError} internal: not started
   */
  get options(): TlsConnectOptions {
    const { context } = this.#files.value;
    const known = this.#options;
    if (known?.secureContext === context) return known;
    const { skipVerify, serverName } = this.#settings;
    this.#options = {
      secureContext: context,
      rejectUnauthorized: !skipVerify,
      ...(serverName === '' ? {} : { servername: serverName }),
    };
    return this.#options;
  }
  #options: TlsConnectOptions | undefined;

  get figures(): ClientTlsFigures {
    return {
      ...this.#files.figures,
      notAfterUnixMs: this.#files.known?.certificate?.validToDate.getTime(),
    };
  }

  /**
   * Reads the files.
   * @throws {SpoorError} config: one cannot be read, or they are not what they should be
   */
  start(): Promise<void> {
    return this.#files.start();
  }

  /** Looks at the files now. Never rejects. */
  reload(): Promise<void> {
    return this.#files.reload();
  }

  /** Looks at the files no more. Safe before start and more than once. */
  shutdown(): void {
    this.#files.shutdown();
  }
}

function trustOptions(
  { includeSystemCas }: ClientTlsSettings,
  { ca_file: own }: FileContents,
): { ca?: (string | Buffer)[] } {
  // Without any CA named, Node takes those that it knows.
  if (own === undefined && !includeSystemCas) return {};
  const known = own === undefined || includeSystemCas ? getCACertificates('default') : [];
  const system = includeSystemCas ? getCACertificates('system') : [];
  return { ca: [...(own === undefined ? [] : [own]), ...known, ...system] };
}
