// SPDX-License-Identifier: Apache-2.0
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import { isIssuedBy } from './issued-by.ts';
import { refusePlainText, TLS_HANDSHAKE_BYTE } from './plain-text.ts';

/** Why a connection did not come to be, a fixed set for the metrics. */
export const HANDSHAKE_FAILURES = [
  'plain_text',
  'no_client_certificate',
  'bad_client_certificate',
  'refused_by_client',
  'no_common_protocol',
  'timeout',
  'too_many',
  'closed',
  'other',
] as const;

/** One of {@link HANDSHAKE_FAILURES}. */
export type HandshakeFailure = (typeof HANDSHAKE_FAILURES)[number];

/** What a handshake needs. */
export interface HandshakeOptions {
  readonly context: SecureContext;
  /** CAs of the clients that are let in; undefined: all clients are. */
  readonly clientCas: readonly X509Certificate[] | undefined;
  /** What is spoken over TLS, by its names in ALPN, the preferred one first; without HTTP/1.1 a client must ask for one. */
  readonly protocols: readonly string[];
  /** Time for all of it, in ms. */
  readonly timeoutMs: number;
}

/** How a handshake ended. */
export type HandshakeOutcome =
  | { readonly socket: TLSSocket }
  | { readonly failure: HandshakeFailure; readonly detail: string };

const OTHER_CA = 'the certificate is not of a CA in client_ca_file';

type Failure = readonly [reason: HandshakeFailure, detail: string];

const LEFT_SILENTLY: Failure = ['closed', 'the client said nothing'];
const LEFT_IN_HANDSHAKE: Failure = [
  'refused_by_client',
  'the client left, as one does that does not trust the certificate',
];

/** What this file uses of Node's TLS sockets, which its types do not have: what Node's own server does when one is ready. */
interface RawTlsSocket {
  /** HTTP/2 waits until it is false. */
  secureConnecting: boolean;
  /** Has errors come as such from now on. */
  _releaseControl(): boolean;
  readonly _handle: {
    /** Why the certificate of the client is not good, or null. */
    verifyError(): NodeJS.ErrnoException | null;
    /** Takes bytes as if they had come from the client. */
    receive(bytes: Buffer): void;
  };
}

function isRawTlsSocket(socket: object): socket is RawTlsSocket {
  return (
    'secureConnecting' in socket &&
    '_releaseControl' in socket &&
    '_handle' in socket &&
    typeof socket._handle === 'object' &&
    socket._handle !== null &&
    'verifyError' in socket._handle &&
    'receive' in socket._handle
  );
}

/**
 * Looks at what comes first on a connection, and does the handshake when it is TLS.
 *
 * Node's own server is not used since it closes a connection with a certificate of the wrong CA without an alert, which
 * looks to the client as if the server had died; and since it can't answer plain text.
 * @param done called once
 * @returns ends the handshake at once, as `closed`
 */
export function acceptTls(
  raw: Socket,
  options: HandshakeOptions,
  done: (outcome: HandshakeOutcome) => void,
): () => void {
  let secure: TLSSocket | undefined;
  let isDone = false;
  const end = (outcome: HandshakeOutcome): void => {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    done(outcome);
  };
  const fail = (failure: HandshakeFailure, detail: string): void => {
    // Later it is the business of whoever was given the socket.
    if (isDone) return;
    end({ failure, detail });
    (secure ?? raw).destroy();
  };
  const timer = setTimeout(() => {
    fail('timeout', `no handshake within ${options.timeoutMs} ms`);
  }, options.timeoutMs);
  timer.unref();
  // The reason comes with the TLS socket; what comes here is a close.
  raw.on('error', () => undefined);
  raw.on('close', () => fail(...(secure === undefined ? LEFT_SILENTLY : LEFT_IN_HANDSHAKE)));
  raw.once('readable', () => {
    if (isDone) return;
    // Null at the end of a connection where nothing came: of a probe, or a port scanner.
    const first = raw.read() as Buffer | null;
    if (first === null) {
      fail(...LEFT_SILENTLY);
      return;
    }
    if (first[0] !== TLS_HANDSHAKE_BYTE) {
      end({ failure: 'plain_text', detail: 'plain text on a port with TLS' });
      refusePlainText(raw, first);
      return;
    }
    raw.unshift(first);
    secure = startHandshake(raw, options, end, fail);
  });
  return () => fail('closed', 'the server is stopping');
}

function startHandshake(
  raw: Socket,
  { context, clientCas, protocols }: HandshakeOptions,
  end: (outcome: HandshakeOutcome) => void,
  fail: (failure: HandshakeFailure, detail: string) => void,
): TLSSocket {
  const needsCertificate = clientCas !== undefined;
  const socket = new TLSSocket(raw, {
    isServer: true,
    secureContext: context,
    requestCert: needsCertificate,
    rejectUnauthorized: needsCertificate,
    ALPNProtocols: [...protocols],
  });
  let refusal: Failure | undefined;
  const onError = (error: NodeJS.ErrnoException): void => fail(...(refusal ?? failureOf(error)));
  // Before the handshake is done errors come as the one, after it as the other.
  socket.on('_tlsError', onError);
  socket.on('error', onError);
  // Of a client that only closes its side, on a socket that may be half open.
  socket.on('end', () => fail(...(refusal ?? LEFT_IN_HANDSHAKE)));
  socket.on('secure', () => {
    const raw: object = socket;
    if (!isRawTlsSocket(raw)) {
      fail('other', 'this version of Node hides what is needed of its TLS sockets');
      return;
    }
    refusal = refusalOf(socket, raw._handle.verifyError(), { clientCas, protocols });
    if (refusal !== undefined) {
      // Node has no call for a fatal alert, so OpenSSL is given what it answers with one: `unexpected_message` in TLS 1.3,
      // `bad_record_mac` in 1.2. The client sees that TLS was refused, and the log here says why.
      raw._handle.receive(MISPLACED_RECORD);
      return;
    }
    raw.secureConnecting = false;
    raw._releaseControl();
    end({ socket });
  });
  return socket;
}

/** Why a client is not let in though its handshake is done. */
function refusalOf(
  socket: TLSSocket,
  problem: NodeJS.ErrnoException | null,
  { clientCas, protocols }: Pick<HandshakeOptions, 'clientCas' | 'protocols'>,
): Failure | undefined {
  if (clientCas !== undefined) {
    const reason = 'bad_client_certificate';
    if (problem !== null) return [reason, problem.code ?? problem.message];
    // OpenSSL also trusts the CAs that come with the server's own certificate in a PKCS#12 file.
    if (!isIssuedBy(socket.getPeerX509Certificate(), clientCas)) return [reason, OTHER_CA];
  }
  return protocols.includes('http/1.1') || socket.alpnProtocol === 'h2'
    ? undefined
    : ['no_common_protocol', 'the client does not ask for HTTP/2'];
}

/** A handshake message without encryption, which has no place after the handshake. */
const MISPLACED_RECORD = Buffer.from([TLS_HANDSHAKE_BYTE, 3, 3, 0, 4, 0, 0, 0, 0]);

function failureOf(error: NodeJS.ErrnoException): Failure {
  const { code = '', message } = error;
  const detail = code === '' ? message : code;
  if (code === 'ECONNRESET' || code === 'EPIPE') return LEFT_IN_HANDSHAKE;
  if (code.includes('DID_NOT_RETURN_A_CERTIFICATE')) return ['no_client_certificate', detail];
  if (code.includes('_ALERT_')) return ['refused_by_client', detail];
  if (/PROTOCOL|VERSION|CIPHER|SIGNATURE_ALG/.test(code)) return ['no_common_protocol', detail];
  return ['other', detail];
}
