// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import {
  Client,
  credentials,
  Metadata,
  type ChannelCredentials,
  type ServiceError,
} from '@grpc/grpc-js';

/** Name of the service. */
export const SERVICE = 'opentelemetry.proto.collector.trace.v1.TraceService';
/** Path of its method. */
export const PATH = `/${SERVICE}/Export`;

type Outcome = { readonly body: Buffer } | { readonly error: ServiceError };

/** A real client, closed at the end of its scope. */
export class TestClient {
  readonly client: Client;

  constructor(
    port: number,
    options: object = {},
    channel: ChannelCredentials = credentials.createInsecure(),
  ) {
    this.client = new Client(`127.0.0.1:${port}`, channel, {
      'grpc.max_send_message_length': -1,
      ...options,
    });
  }

  export(
    body: Buffer,
    metadata: Record<string, string> = {},
    path: string = PATH,
  ): Promise<Outcome> {
    const sent = new Metadata();
    for (const [key, value] of Object.entries(metadata)) sent.set(key, value);
    const pass = (bytes: Buffer): Buffer => bytes;
    return new Promise((resolve) => {
      this.client.makeUnaryRequest(path, pass, pass, body, sent, (error, answer) => {
        resolve(error === null ? { body: answer ?? Buffer.alloc(0) } : { error });
      });
    });
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}

/** The error of a call that must have failed. */
export function errorOf(outcome: Outcome): ServiceError {
  assert.ok('error' in outcome, 'the call should have failed');
  return outcome.error;
}

/** The answer of a call that must have gone well. */
export function bodyOf(outcome: Outcome): Buffer {
  if ('error' in outcome) throw outcome.error;
  return outcome.body;
}

interface RawAnswer {
  readonly headers: http2.IncomingHttpHeaders;
  /** Of the trailers, or of the headers when they are all there is. */
  readonly grpcStatus: string | undefined;
  readonly grpcMessage: string;
}

/** One call over plain HTTP/2, for what a real client doesn't send. */
export function callRaw(
  port: number,
  body: readonly Uint8Array[],
  headers: http2.OutgoingHttpHeaders = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    session.on('error', reject);
    const stream = session.request({
      ':method': 'POST',
      ':path': PATH,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    let got: http2.IncomingHttpHeaders = {};
    let trailers: http2.IncomingHttpHeaders = {};
    stream.on('response', (response) => {
      got = response;
    });
    stream.on('trailers', (last) => {
      trailers = last;
    });
    // The server may close a refused stream under a body that is still sent.
    stream.on('error', () => undefined);
    stream.on('close', () => {
      session.close();
      const all = { ...got, ...trailers };
      resolve({
        headers: got,
        grpcStatus: all['grpc-status'] as string | undefined,
        grpcMessage: String(all['grpc-message'] ?? ''),
      });
    });
    stream.resume();
    for (const piece of body) stream.write(piece);
    stream.end();
  });
}

/** A message with its length prefix, or with a wrong one. */
export function prefixed(flag: number, message: Uint8Array, length = message.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

/** Seconds and nanos of the RetryInfo in grpc-status-details-bin. */
export function retryDelay(error: ServiceError): { seconds: number; nanos: number } | undefined {
  const [details] = error.metadata.get('grpc-status-details-bin');
  if (!Buffer.isBuffer(details)) return undefined;
  const url = 'type.googleapis.com/google.rpc.RetryInfo';
  const at = details.indexOf(url);
  assert.ok(at > 0);
  // Any.value: RetryInfo.retry_delay: Duration.
  let position = at + url.length;
  assert.equal(details[position], 0x12);
  assert.equal(details[position + 2], 0x0a);
  position += 4;
  const delay = { seconds: 0, nanos: 0 };
  while (position < details.length) {
    const field = details[position++]! >> 3;
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = details[position++]!;
      value += (byte & 127) * shift;
      if (byte < 128) break;
    }
    if (field === 1) delay.seconds = value;
    if (field === 2) delay.nanos = value;
  }
  return delay;
}
