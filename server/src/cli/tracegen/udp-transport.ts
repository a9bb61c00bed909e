// SPDX-License-Identifier: Apache-2.0
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import { SpoorError, messageOf, quote } from '@spoor/core/model/errors.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { OtlpProtoDecoder } from '@spoor/core/wire/otlp/decode.ts';
import { parseEndpoint, type Endpoint } from '#config/endpoint.ts';
import { encodeJaegerDatagram, rowsByResource } from './jaeger-datagram.ts';
import type { LoadTransport, UnansweredOutcome } from './load-transport.ts';
import type { SendOutcome } from './otlp-answer.ts';

/** Largest datagram of Jaeger's clients, and largest that an agent takes. */
const MAX_DATAGRAM_BYTES = 65_000;

/** Spans of a datagram at most: 64 of the shop are some 35 kB. */
const MAX_DATAGRAM_SPANS = 64;

/** Sends the spans of a request as a client of Jaeger does, in datagrams to an agent. Nobody answers; tenants have no place. */
export class UdpTransport implements LoadTransport {
  readonly #endpoint: Endpoint;
  readonly #socket: Socket;
  readonly #decoder = new OtlpProtoDecoder();
  readonly #builder = new BatchBuilder();
  #isClosed = false;

  /** @throws {SpoorError} invalid_argument: the endpoint is not `host:port` */
  constructor(endpoint: string) {
    const parsed = parseEndpoint(endpoint);
    if (parsed === undefined) {
      throw new SpoorError('invalid_argument', `endpoint ${quote(endpoint)} is not host:port`);
    }
    this.#endpoint = parsed;
    this.#socket = createSocket(isIPv6(parsed.host) ? 'udp6' : 'udp4');
  }

  async send(body: Uint8Array): Promise<SendOutcome | UnansweredOutcome> {
    try {
      this.#decoder.begin(body);
      while (!this.#decoder.decode(this.#builder, Infinity));
    } catch (error) {
      this.#builder.clear();
      return { kind: 'failed', reason: messageOf(error) };
    }
    const batch = this.#builder.finish();
    let lostSpans = 0;
    let message = '';
    for (const { datagram, spans } of datagramsOf(batch)) {
      try {
        if (datagram.length > MAX_DATAGRAM_BYTES)
          throw new Error('a span is too large for a datagram');
        await this.#sendDatagram(datagram);
      } catch (error) {
        lostSpans += spans;
        message = messageOf(error);
      }
    }
    return { kind: 'sent', lostSpans, message };
  }

  close(): void {
    if (!this.#isClosed) this.#socket.close();
    this.#isClosed = true;
  }

  #sendDatagram(datagram: Uint8Array): Promise<void> {
    const { host, port } = this.#endpoint;
    return new Promise((resolve, reject) => {
      this.#socket.send(datagram, port, host, (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  }
}

/** Those that are still too large have one span. */
function* datagramsOf(batch: SpanBatch): Generator<{ datagram: Uint8Array; spans: number }> {
  const lists = rowsByResource(batch, MAX_DATAGRAM_SPANS).toReversed();
  for (let rows = lists.pop(); rows !== undefined; rows = lists.pop()) {
    const datagram = encodeJaegerDatagram(batch, rows);
    const half = rows.length >> 1;
    if (datagram.length <= MAX_DATAGRAM_BYTES || half === 0) yield { datagram, spans: rows.length };
    else lists.push(rows.subarray(half), rows.subarray(0, half));
  }
}
