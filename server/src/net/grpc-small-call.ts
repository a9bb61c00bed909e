// SPDX-License-Identifier: Apache-2.0
import { constants, type ServerHttp2Stream } from 'node:http2';
import {
  ServerInterceptingCall,
  type Metadata,
  type ServerInterceptingCallInterface,
  type ServerMethodDefinition,
} from '@grpc/grpc-js';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { CallWatch } from './grpc-call.ts';
import { GrpcMessageReader, type GrpcMessage } from './grpc-message-reader.ts';
import { grpcStatusOf } from './grpc-status.ts';
import type { BodyBudget } from './memory-budget.ts';
import { makeRefusal, refusalOf, type Refusal } from './refusal.ts';

// grpc-js doesn't export it by name.
type InterceptingServerListener = Parameters<ServerInterceptingCallInterface['start']>[0];

/** Largest request of a method that takes no bodies, such as a health check. */
const SMALL_REQUEST_BYTES = 16 * 1024;

/** What this file reads of grpc-js's own call, which doesn't declare it. */
interface RawCall {
  readonly stream: ServerHttp2Stream;
  readonly incomingEncoding: string;
}

function isRawCall(call: object): call is RawCall {
  return (
    'stream' in call && 'incomingEncoding' in call && typeof call.incomingEncoding === 'string'
  );
}

/**
 * A call of a method that grpc-js handles, read by us: grpc-js buffers whole messages of every stream, and their
 * decompressed form, with no bound on all of them together, and answers what it refuses on its own past every interceptor.
 */
export class GrpcSmallCall extends ServerInterceptingCall {
  readonly startedMs = performance.now();
  lastPieceMs = this.startedMs;
  readonly #watch: CallWatch;
  readonly #budget: BodyBudget;
  readonly #method: ServerMethodDefinition<unknown, unknown>;
  readonly #call: ServerInterceptingCallInterface;
  #listener: InterceptingServerListener | undefined;
  #reader: GrpcMessageReader | undefined;
  #stream: ServerHttp2Stream | undefined;

  /** @param budget of all such calls */
  constructor(
    watch: CallWatch,
    budget: BodyBudget,
    method: ServerMethodDefinition<unknown, unknown>,
    call: ServerInterceptingCallInterface,
  ) {
    super(call);
    this.#watch = watch;
    this.#budget = budget;
    this.#method = method;
    this.#call = call;
  }

  override start(listener: InterceptingServerListener): void {
    this.#listener = listener;
    this.#call.start({
      onReceiveMetadata: (metadata) => this.#onMetadata(metadata),
      onReceiveMessage: () => undefined,
      onReceiveHalfClose: () => undefined,
      onCancel: () => {
        this.#close();
        listener.onCancel();
      },
    });
  }

  /** The handler wants the message. */
  override startRead(): void {
    if (this.#reader !== undefined) this.#stream?.resume();
  }

  /** Ends the call when its message did not come in time. */
  timeOut(message: string): void {
    this.#refuse(makeRefusal('timeout', { http: 408, grpc: 4 }, message));
  }

  #refuse(refusal: Refusal): void {
    this.#close();
    this.sendStatus(grpcStatusOf(refusal));
    const stream = this.#stream;
    if (stream === undefined || stream.readableEnded) return;
    // As GrpcCall does.
    setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
  }

  #onMetadata(metadata: Metadata): void {
    try {
      const call: object = this.#call;
      if (!isRawCall(call)) {
        throw new SpoorError('internal', 'this version of grpc-js hides the stream of a call');
      }
      this.#stream = call.stream;
      const { incomingEncoding } = call;
      this.#reader = new GrpcMessageReader(incomingEncoding, SMALL_REQUEST_BYTES, this.#budget);
      this.#watch.begin(this);
      // The listener that buffers without a bound.
      call.stream.removeAllListeners('data');
      call.stream.on('data', (piece: Buffer) => this.#onPiece(piece));
      call.stream.on('end', () => this.#onEnd());
    } catch (error) {
      this.#refuse(refusalOf(error));
      return;
    }
    this.#listener?.onReceiveMetadata(metadata);
  }

  #onPiece(piece: Buffer): void {
    if (this.#reader === undefined) return;
    this.lastPieceMs = performance.now();
    try {
      this.#reader.append(piece);
    } catch (error) {
      this.#refuse(refusalOf(error));
    }
  }

  #onEnd(): void {
    const reader = this.#reader;
    // A stream that is cut off ends as well, and is cancelled after that.
    if (reader === undefined || this.#stream?.closed === true) return;
    // From here on the message has the lease.
    this.#watch.end(this);
    this.#reader = undefined;
    try {
      const message = reader.finish();
      if (message instanceof Promise) {
        message.then(
          (decompressed) => this.#deliver(decompressed),
          (error: unknown) => this.#refuse(refusalOf(error)),
        );
      } else {
        this.#deliver(message);
      }
    } catch (error) {
      this.#refuse(refusalOf(error));
    }
  }

  #deliver({ bytes, lease }: GrpcMessage): void {
    lease.release();
    let request: unknown;
    try {
      request = this.#method.requestDeserialize(
        Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
      );
    } catch (error) {
      const { path } = this.#method;
      this.#refuse(
        refusalOf(
          new SpoorError('malformed', `${path}: request cannot be decoded`, { cause: error }),
        ),
      );
      return;
    }
    this.#listener?.onReceiveMessage(request);
    this.#listener?.onReceiveHalfClose();
  }

  #close(): void {
    this.#watch.end(this);
    this.#reader?.abandon();
    this.#reader = undefined;
  }
}
