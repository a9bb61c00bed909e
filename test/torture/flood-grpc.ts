// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { gzipSync } from 'node:zlib';
import {
  decodeExportResponse,
  decodeRetryDelayMs,
  type SendOutcome,
} from '../../server/src/cli/tracegen/otlp-answer.ts';
import { lost, type FloodTransport, type WireForm, type WireRequest } from './flood-transport.ts';

const PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const PREFIX_BYTES = 5;
/** Its own 64 KiB would keep nothing but answers back. */
const SETTINGS = { enablePush: false };

/** Names of the codes that senders may try again after. */
const RETRYABLE: Readonly<Record<string, string>> = { 8: 'RESOURCE_EXHAUSTED', 14: 'UNAVAILABLE' };

/** OTLP/gRPC over node's HTTP/2, on a fixed number of connections in turn. */
export class FloodGrpc implements FloodTransport {
  readonly #url: string;
  readonly #sessions: ClientHttp2Session[] = [];
  readonly #connections: number;
  #turn = 0;

  constructor(address: string, connections: number) {
    this.#url = `http://${address}`;
    this.#connections = connections;
  }

  prepare(body: Buffer, { gzip }: WireForm): WireRequest {
    const message = gzip ? gzipSync(body, { level: 1 }) : body;
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix[0] = gzip ? 1 : 0;
    prefix.writeUInt32BE(message.length, 1);
    return { isCompressed: gzip, bytes: Buffer.concat([prefix, message]) };
  }

  async connect(): Promise<void> {
    while (this.#sessions.length < this.#connections) {
      const session = this.#openSession();
      await once(session, 'remoteSettings');
      this.#sessions.push(session);
    }
  }

  send({ isCompressed, bytes }: WireRequest): Promise<SendOutcome> {
    return new Promise((resolve) => {
      const stream = this.#session().request({
        ':method': 'POST',
        ':path': PATH,
        'content-type': 'application/grpc',
        te: 'trailers',
        ...(isCompressed ? { 'grpc-encoding': 'gzip' } : {}),
      });
      const pieces: Buffer[] = [];
      let status: IncomingHttpHeaders | undefined;
      stream.on('response', (headers) => {
        if (headers['grpc-status'] !== undefined) status = headers;
      });
      stream.on('trailers', (trailers) => (status = trailers));
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('error', (error) => {
        // A refused stream is reset after its status has come, so that the rest of the body is not sent.
        if (status === undefined) resolve(lost(error));
      });
      stream.on('close', () => {
        const code = stream.rstCode;
        resolve(
          status === undefined
            ? lost(new Error(`stream reset with ${code}`))
            : readAnswer(status, Buffer.concat(pieces)),
        );
      });
      stream.end(bytes);
    });
  }

  #openSession(): ClientHttp2Session {
    const session = connect(this.#url, { settings: SETTINGS });
    // Each of its streams tells of it.
    session.on('error', () => undefined);
    return session;
  }

  #session(): ClientHttp2Session {
    const turn = this.#turn++ % this.#connections;
    const session = this.#sessions[turn];
    return session === undefined || session.closed || session.destroyed
      ? (this.#sessions[turn] = this.#openSession())
      : session;
  }
}

function readAnswer(status: IncomingHttpHeaders, body: Buffer): SendOutcome {
  const code = String(status['grpc-status']);
  if (code === '0') return decodeExportResponse(body.subarray(PREFIX_BYTES));
  const name = RETRYABLE[code];
  const details = status['grpc-status-details-bin'];
  if (name !== undefined) {
    const retryAfterMs =
      typeof details === 'string' ? decodeRetryDelayMs(Buffer.from(details, 'base64')) : undefined;
    return { kind: 'retry', reason: `gRPC ${name}`, retryAfterMs };
  }
  return { kind: 'failed', reason: `gRPC ${code} ${String(status['grpc-message'])}` };
}
