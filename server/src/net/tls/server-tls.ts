// SPDX-License-Identifier: Apache-2.0
import type { X509Certificate } from 'node:crypto';
import type { Server, Socket } from 'node:net';
import { LogThrottle, type Logger } from '#net/logger.ts';
import { ExpiryWatch } from './expiry-watch.ts';
import { readCertificates } from './issued-by.ts';
import {
  acceptTls,
  HANDSHAKE_FAILURES,
  type HandshakeFailure,
  type HandshakeOutcome,
} from './tls-handshake.ts';
import {
  createTlsContext,
  identityPaths,
  type TlsContext,
  type TlsIdentitySettings,
  type TlsVersion,
} from './tls-identity.ts';
import { WatchedFiles, type FileContents, type ReloadFigures } from './watched-files.ts';

/** TLS of a listener. Empty texts are not set. */
export interface ServerTlsSettings extends TlsIdentitySettings {
  /** PEM: CAs between that are sent with the certificate. */
  readonly caFile: string;
  /** PEM: CAs of the clients that are let in; not set: all clients are. */
  readonly clientCaFile: string;
  readonly minVersion: TlsVersion;
  /** Pause after which the files are read again, in ms; 0: never. */
  readonly reloadIntervalMs: number;
}

/** What TLS is in front of. */
export interface SecuredListener {
  /** How the log and errors call it, such as `receivers.otlp.protocols.http`. */
  readonly name: string;
  /** What is spoken over TLS, by its names in ALPN: `h2`, `http/1.1`, the preferred one first. */
  readonly protocols: readonly string[];
  /** Time for a handshake, in ms. */
  readonly handshakeTimeoutMs: number;
}

/** Figures of a {@link ServerTls} since its start. */
export interface ServerTlsFigures extends ReloadFigures {
  readonly handshakes: number;
  /** Connections that did not come to be, by reason; every reason is there. */
  readonly failures: Readonly<Record<HandshakeFailure, number>>;
  /** Handshakes under way now. */
  readonly openHandshakes: number;
  /** When the certificate ends, in Unix ms; undefined before the start. */
  readonly notAfterUnixMs: number | undefined;
}

/** Handshakes under way at the same time: each holds some 80 kB, so all of them 40 MB; and an RSA key costs the main thread 0.7 ms. */
const MAX_HANDSHAKES = 512;

const LOG_INTERVAL_MS = 10_000;

interface ServerTlsContext extends TlsContext {
  /** CAs of the clients that are let in; undefined: all clients are. */
  readonly clientCas: readonly X509Certificate[] | undefined;
}

/** Connections that end before they said anything are those of port scanners and balancers' probes. */
const SILENT_FAILURES: ReadonlySet<HandshakeFailure> = new Set(['closed']);

/** A name for the session cache of OpenSSL, which it wants where clients have certificates. */
const SESSION_CONTEXT = 'spoor';

/** TLS in front of a server: connections come to it when their handshake is done. */
export class ServerTls {
  readonly #listener: SecuredListener;
  readonly #logger: Logger;
  readonly #files: WatchedFiles<ServerTlsContext>;
  /** One each: a port scanner is not to hide the client whose certificate has ended. */
  readonly #throttles = new Map(
    HANDSHAKE_FAILURES.map((reason) => [reason, new LogThrottle(LOG_INTERVAL_MS)]),
  );
  /** Each ends a handshake that is under way. */
  readonly #open = new Set<() => void>();
  // Every reason has its zero.
  readonly #failures = Object.fromEntries(
    HANDSHAKE_FAILURES.map((reason) => [reason, 0]),
  ) as Record<HandshakeFailure, number>;
  #handshakes = 0;
  #isStopped = false;

  constructor(listener: SecuredListener, settings: ServerTlsSettings, logger: Logger) {
    const { name } = listener;
    this.#listener = listener;
    this.#logger = logger;
    const expiry = new ExpiryWatch(`${name}.tls`, logger);
    this.#files = new WatchedFiles({
      name: `${name}.tls`,
      what: 'certificate',
      paths: {
        ...identityPaths(settings),
        ca_file: settings.caFile,
        client_ca_file: settings.clientCaFile,
      },
      reloadIntervalMs: settings.reloadIntervalMs,
      parse: (contents) => createServerContext(`${name}.tls`, settings, contents),
      onLook: ({ certificate }) => expiry.look(certificate),
      logger,
    });
  }

  get figures(): ServerTlsFigures {
    return {
      ...this.#files.figures,
      handshakes: this.#handshakes,
      failures: this.#failures,
      openHandshakes: this.#open.size,
      notAfterUnixMs: this.#files.known?.certificate?.validToDate.getTime(),
    };
  }

  /**
   * Reads the certificate.
   * @throws {SpoorError} config: a file cannot be read, or is not what it should be
   */
  start(): Promise<void> {
    return this.#files.start();
  }

  /** Looks at the files now. Never rejects. */
  reload(): Promise<void> {
    return this.#files.reload();
  }

  /** Has the connections of a server, which has all its handlers, come through here first. */
  protect(server: Server): void {
    // Those of a server of connections take a socket.
    const handlers = server.listeners('connection') as ((socket: Socket) => void)[];
    server.removeAllListeners('connection');
    server.on('connection', (raw: Socket) => {
      this.#accept(raw, (socket) => {
        for (const handler of handlers) handler.call(server, socket);
      });
    });
  }

  /** Ends the handshakes under way, and looks at the files no more. Safe before start and more than once. */
  shutdown(): void {
    this.#isStopped = true;
    this.#files.shutdown();
    for (const end of this.#open) end();
  }

  #accept(raw: Socket, deliver: (socket: Socket) => void): void {
    if (this.#isStopped) {
      raw.destroy();
      return;
    }
    // Of a closed connection it is not known any more.
    const { remoteAddress } = raw;
    if (this.#open.size >= MAX_HANDSHAKES) {
      this.#onFailure(remoteAddress, 'too_many', `${MAX_HANDSHAKES} handshakes are under way`);
      raw.destroy();
      return;
    }
    const { context, clientCas } = this.#files.value;
    const options = {
      context,
      clientCas,
      protocols: this.#listener.protocols,
      timeoutMs: this.#listener.handshakeTimeoutMs,
    };
    const end = acceptTls(raw, options, (outcome: HandshakeOutcome) => {
      this.#open.delete(end);
      if ('socket' in outcome) {
        this.#handshakes++;
        deliver(outcome.socket);
      } else {
        this.#onFailure(remoteAddress, outcome.failure, outcome.detail);
      }
    });
    this.#open.add(end);
  }

  #onFailure(remoteAddress: string | undefined, reason: HandshakeFailure, detail: string): void {
    this.#failures[reason]++;
    if (SILENT_FAILURES.has(reason)) return;
    this.#throttles
      .get(reason)
      ?.log((suppressed) =>
        this.#logger.warn(
          { reason, detail, remoteAddress, suppressed },
          `${this.#listener.name}: TLS handshake failed`,
        ),
      );
  }
}

function createServerContext(
  name: string,
  settings: ServerTlsSettings,
  contents: FileContents,
): ServerTlsContext {
  const { cert_file: cert, ca_file: between, client_ca_file: clientCa } = contents;
  const chained =
    cert === undefined || between === undefined
      ? contents
      : { ...contents, cert_file: Buffer.concat([cert, Buffer.from('\n'), between]) };
  const clientCas = clientCa && readCertificates(`${name}.client_ca_file`, clientCa);
  const made = createTlsContext(name, settings, chained, {
    minVersion: settings.minVersion,
    sessionIdContext: SESSION_CONTEXT,
    ...(clientCa === undefined ? {} : { ca: clientCa }),
  });
  return { ...made, clientCas };
}
