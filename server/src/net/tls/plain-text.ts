// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net';

/** First byte of every TLS connection: a record of the handshake. */
export const TLS_HANDSHAKE_BYTE = 0x16;

/** How long a client has to read why it is refused, in ms. */
const LINGER_MS = 1000;

const MESSAGE = 'this port speaks TLS, and what came is plain text';

/** HTTP/2 connections begin with `PRI * HTTP/2.0`. */
const HTTP2_PREFACE = 'PRI';

/**
 * REFUSED_STREAM, which gRPC clients take as UNAVAILABLE and try again: whoever holds spans is not to lose them over a setting.
 * INADEQUATE_SECURITY would be PERMISSION_DENIED to them, which is for good.
 * @see https://github.com/grpc/grpc/blob/v1.76.0/doc/PROTOCOL-HTTP2.md#errors
 */
const REFUSED_STREAM = 0x7;

/**
 * Says to a client that speaks plain text to a port with TLS what is wrong, in HTTP/2 or else in HTTP/1.1, and closes the
 * connection.
 * @param first what came first
 */
export function refusePlainText(socket: Socket, first: Buffer): void {
  const isHttp2 = first.toString('latin1', 0, HTTP2_PREFACE.length) === HTTP2_PREFACE;
  // What still comes is read and dropped: closing over unread bytes would reset the connection before the answer is read.
  socket.resume();
  socket.end(isHttp2 ? http2Answer() : http1Answer());
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  timer.unref();
  socket.on('close', () => clearTimeout(timer));
}

function http1Answer(): string {
  const body = `${MESSAGE}: use https\n`;
  return (
    'HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n' +
    `content-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`
  );
}

/** Empty SETTINGS, with which every server begins, and a GOAWAY. */
function http2Answer(): Buffer {
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(REFUSED_STREAM, 4);
  const message = Buffer.from(MESSAGE);
  const head = Buffer.from([0, 0, payload.length + message.length, 7, 0, 0, 0, 0, 0]);
  return Buffer.concat([settings, head, payload, message]);
}
