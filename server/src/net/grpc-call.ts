// SPDX-License-Identifier: Apache-2.0
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, type Tenant } from '@spoor/core/model/ids.ts';
import {
  GRPC_ACCEPTED_ENCODINGS,
  GrpcMessageReader,
  type GrpcMessage,
} from './grpc-message-reader.ts';
import { grpcHeadersOf } from './grpc-status.ts';
import type { BodyBudget } from './memory-budget.ts';
import { makeRefusal, refusalOf, type Refusal } from './refusal.ts';

/** A unary method whose messages are taken as they come. */
export interface GrpcBodyMethod {
  /** Full name of its service. */
  readonly service: string;
  /** `/service/method` */
  readonly path: string;
  /**
   * What the message of a call is paid from.
   * @throws {SpoorError} the call is refused for what its headers say
   */
  readonly budgetOf: (call: GrpcCall) => BodyBudget;
  /** Takes a call whose message has come, and its lease with it; answers or refuses it, and never throws. */
  readonly handle: (call: GrpcCall, message: GrpcMessage) => void;
  /** Told about each call that ends before `handle` sees it. */
  readonly onRefused: (refusal: Refusal) => void;
}

/** A call whose message is coming. */
export interface WatchedCall {
  readonly startedMs: number;
  /** When something of the message came last. */
  readonly lastPieceMs: number;
  /** Ends the call because its message did not come in time. */
  timeOut(message: string): void;
}

/** Who watches over calls while their messages come. */
export interface CallWatch {
  /** Largest message of a body method, both before and after decompression. */
  readonly capBytes: number;
  /** Whether no new calls of body methods are taken. */
  readonly draining: boolean;
  begin(call: WatchedCall): void;
  end(call: WatchedCall): void;
}

/** Length of what is before each message. */
const PREFIX_BYTES = 5;
const EMPTY_MESSAGE = Buffer.alloc(PREFIX_BYTES);

const ANSWER_HEADERS = {
  ':status': 200,
  'content-type': 'application/grpc',
  'grpc-accept-encoding': GRPC_ACCEPTED_ENCODINGS,
};
const OK_TRAILERS = { 'grpc-status': '0' };

/** @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
const TIMEOUT = /^\d{1,8}[HMSmun]$/;

const CLIENT_GONE = makeRefusal('aborted', { http: 499, grpc: 1 }, 'the client went away');

/**
 * A call of a {@link GrpcBodyMethod} on its HTTP/2 stream.
 *
 * Clients keep to the timeout that they name by themselves, and reset the stream then.
 */
export class GrpcCall implements WatchedCall {
  readonly headers: IncomingHttpHeaders;
  /** Whose data it is about, for methods that care. */
  tenant: Tenant = DEFAULT_TENANT;
  readonly startedMs = performance.now();
  lastPieceMs = this.startedMs;
  readonly #watch: CallWatch;
  readonly #method: GrpcBodyMethod;
  readonly #stream: ServerHttp2Stream;
  #reader: GrpcMessageReader | undefined;
  #isAnswered = false;
  #onGone: (() => void) | undefined;

  constructor(
    watch: CallWatch,
    method: GrpcBodyMethod,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
  ) {
    this.#watch = watch;
    this.#method = method;
    this.#stream = stream;
    this.headers = headers;
    // What went wrong with a stream is told by its end.
    stream.on('error', () => undefined);
  }

  /** Of the client; undefined once its connection is closed. */
  get remoteAddress(): string | undefined {
    const { session } = this.#stream;
    return session === undefined || session.destroyed ? undefined : session.socket.remoteAddress;
  }

  /** Whether the client went away before it had its answer. */
  get isGone(): boolean {
    return !this.#isAnswered && (this.#stream.destroyed || this.#stream.closed);
  }

  /** Has `then` called when the client goes away before it has its answer. */
  whenGone(then: () => void): void {
    this.#onGone = then;
  }

  /** Reads the message, or refuses the call. */
  open(): void {
    const { headers } = this;
    try {
      if (this.#watch.draining) throw new SpoorError('unavailable', 'the server is stopping');
      const timeout = headers['grpc-timeout'];
      if (timeout !== undefined && !TIMEOUT.test(String(timeout))) throw badTimeout();
      const encoding = String(headers['grpc-encoding'] ?? 'identity');
      const budget = this.#method.budgetOf(this);
      this.#reader = new GrpcMessageReader(encoding, this.#watch.capBytes, budget);
    } catch (error) {
      this.#refuseUnread(refusalOf(error));
      return;
    }
    this.#watch.begin(this);
    this.#stream.on('data', (piece: Buffer) => this.#onPiece(piece));
    this.#stream.on('end', () => this.#onEnd());
    this.#stream.on('close', () => this.#onClose());
  }

  timeOut(message: string): void {
    // DEADLINE_EXCEEDED: the sender may try again.
    this.#refuseUnread(makeRefusal('timeout', { http: 408, grpc: 4 }, message));
  }

  /** Answers with one message. */
  answer(message: Uint8Array): void {
    const stream = this.#stream;
    if (!this.#canAnswer()) return;
    stream.respond(ANSWER_HEADERS, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(OK_TRAILERS));
    stream.end(message.length === 0 ? EMPTY_MESSAGE : withPrefix(message));
  }

  /** Answers with a status. */
  refuse(refusal: Refusal): void {
    const stream = this.#stream;
    if (!this.#canAnswer()) return;
    stream.respond(grpcHeadersOf(refusal), { endStream: true });
    if (stream.readableEnded) return;
    // Tells the client to stop sending, and drops what is under way before it costs anything. It would overtake the status.
    setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
  }

  #canAnswer(): boolean {
    if (this.#isAnswered || this.#stream.destroyed || this.#stream.closed) return false;
    this.#isAnswered = true;
    return true;
  }

  #onPiece(piece: Buffer): void {
    if (this.#reader === undefined) return;
    this.lastPieceMs = performance.now();
    try {
      this.#reader.append(piece);
    } catch (error) {
      this.#refuseUnread(refusalOf(error));
    }
  }

  #onEnd(): void {
    const reader = this.#reader;
    // A stream that is cut off ends as well, and is closed after that.
    if (reader === undefined || this.#stream.closed) return;
    if (reader.isEmpty) {
      this.#refuseUnread(refusalOf(new SpoorError('malformed', 'grpc: the call has no message')));
      return;
    }
    // From here on the message has the lease.
    this.#reader = undefined;
    this.#watch.end(this);
    try {
      const message = reader.finish();
      if (message instanceof Promise) {
        message.then(
          (decompressed) => this.#deliver(decompressed),
          (error: unknown) => this.#refuseUnread(refusalOf(error)),
        );
      } else {
        this.#deliver(message);
      }
    } catch (error) {
      this.#refuseUnread(refusalOf(error));
    }
  }

  #deliver(message: GrpcMessage): void {
    if (this.#stream.destroyed) {
      message.lease.release();
      this.#method.onRefused(CLIENT_GONE);
      return;
    }
    this.#method.handle(this, message);
  }

  #onClose(): void {
    if (this.#reader !== undefined) this.#refuseUnread(CLIENT_GONE);
    else if (!this.#isAnswered) this.#onGone?.();
  }

  #refuseUnread(refusal: Refusal): void {
    this.#watch.end(this);
    this.#reader?.abandon();
    this.#reader = undefined;
    this.#method.onRefused(refusal);
    this.refuse(refusal);
  }
}

function badTimeout(): SpoorError {
  return new SpoorError('malformed', 'grpc-timeout is not a number of up to 8 digits with a unit');
}

function withPrefix(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}
