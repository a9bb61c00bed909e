// SPDX-License-Identifier: Apache-2.0
import { constants, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import {
  ServerInterceptingCall,
  type Metadata,
  type ServerInterceptingCallInterface,
  type ServerMethodDefinition,
} from '@grpc/grpc-js';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { GrpcMessageReader, type GrpcMessage } from './grpc-message-reader.ts';
import { grpcStatusOf } from './grpc-status.ts';
import { type BodyBudget, MemoryBudget } from './memory-budget.ts';
import { makeRefusal, refusalOf, type Refusal } from './refusal.ts';

// grpc-js doesn't export it by name.
type InterceptingServerListener = Parameters<ServerInterceptingCallInterface['start']>[0];

/** Largest request of a method that takes no bodies, such as a health check. */
const SMALL_REQUEST_BYTES = 16 * 1024;
/** For all requests of such methods in flight: apart, so that a full budget doesn't fail health checks. */
const SMALL_BUDGET_BYTES = 4 * 1024 * 1024;

/**
 * Bytes that a client may send ahead on one call, and on one connection. HTTP/2's own 64 KiB make
 * the sender of a usual request stop and wait four times, which costs the server twice the CPU.
 * A call is read as it comes or not at all, so this much is never held without a reservation.
 */
const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 4 * 1024 * 1024;

/** What bounds the calls of a gRPC server. */
export interface GrpcAdmissionLimits {
  /**
   * What the message of a body method is paid from.
   * @throws {SpoorError} the call is refused for what its metadata says
   */
  readonly budgetOf: (metadata: Metadata) => BodyBudget;
  /** Largest message of a body method, both before and after decompression. */
  readonly capBytes: number;
  /** Paths of the methods that take bodies; their handlers get a {@link GrpcMessage} as it came. */
  readonly bodyMethods: ReadonlySet<string>;
  /** Longest pause while a message comes, in ms. */
  readonly idleTimeoutMs: number;
  /** Time for a whole message to come, in ms. */
  readonly requestTimeoutMs: number;
}

/** Told about each call of a body method that ends before its handler sees it. */
export type RefusedCall = (refusal: Refusal) => void;

/**
 * Admits the calls of a grpc-js server: an interceptor that reads messages itself.
 *
 * grpc-js buffers whole messages of every stream, and their decompressed form, with no bound on
 * all of them together, and answers what it refuses on its own past every interceptor.
 */
export class GrpcAdmission {
  readonly limits: GrpcAdmissionLimits;
  readonly #onRefused: RefusedCall;
  readonly #reading = new Set<AdmittedCall>();
  readonly #sweep: NodeJS.Timeout;
  readonly #smallBudget = new MemoryBudget(SMALL_BUDGET_BYTES);
  readonly #widened = new WeakSet<Http2Session>();
  #draining = false;

  constructor(limits: GrpcAdmissionLimits, onRefused: RefusedCall) {
    this.limits = limits;
    this.#onRefused = onRefused;
    // One timer looks at all calls: a timer per call and per piece would cost more than the rest.
    const shortest = Math.min(limits.idleTimeoutMs, limits.requestTimeoutMs);
    this.#sweep = setInterval(() => this.#endSlow(), Math.max(10, Math.ceil(shortest / 4)));
    this.#sweep.unref();
  }

  /** The interceptor for the options of the server. */
  readonly interceptor = (
    method: ServerMethodDefinition<unknown, unknown>,
    call: ServerInterceptingCallInterface,
  ): ServerInterceptingCall => new AdmittedCall(this, method, call);

  /** Refuses new calls of body methods; those whose message is being read go on. */
  drain(): void {
    this.#draining = true;
  }

  /** Stops the timer. */
  shutdown(): void {
    this.#draining = true;
    clearInterval(this.#sweep);
  }

  /**
   * @param metadata of a call of a body method; undefined for others
   * @throws {SpoorError} as {@link GrpcMessageReader}'s constructor and `budgetOf`; unavailable: draining
   */
  begin(call: AdmittedCall, encoding: string, metadata: Metadata | undefined): GrpcMessageReader {
    let reader: GrpcMessageReader;
    if (metadata === undefined) {
      reader = new GrpcMessageReader(encoding, SMALL_REQUEST_BYTES, this.#smallBudget);
    } else {
      if (this.#draining) throw new SpoorError('unavailable', 'the server is stopping');
      const { capBytes, budgetOf } = this.limits;
      reader = new GrpcMessageReader(encoding, capBytes, budgetOf(metadata));
    }
    this.#reading.add(call);
    return reader;
  }

  /** Widens the flow control windows of a connection at its first call; grpc-js has no option for it. */
  widen(session: Http2Session | undefined): void {
    if (session === undefined || session.destroyed || this.#widened.has(session)) return;
    this.#widened.add(session);
    session.settings({ initialWindowSize: STREAM_WINDOW_BYTES });
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
  }

  end(call: AdmittedCall): void {
    this.#reading.delete(call);
  }

  countRefused(refusal: Refusal): void {
    this.#onRefused(refusal);
  }

  #endSlow(): void {
    const nowMs = performance.now();
    const { idleTimeoutMs, requestTimeoutMs } = this.limits;
    for (const call of this.#reading) {
      if (nowMs - call.lastPieceMs > idleTimeoutMs) {
        call.refuse(timeout(`request message stopped for ${idleTimeoutMs} ms`));
      } else if (nowMs - call.startedMs > requestTimeoutMs) {
        call.refuse(timeout(`request message did not come within ${requestTimeoutMs} ms`));
      }
    }
  }
}

const CLIENT_GONE = makeRefusal('aborted', { http: 499, grpc: 1 }, 'the client went away');

// DEADLINE_EXCEEDED: the sender may try again.
function timeout(message: string): Refusal {
  return makeRefusal('timeout', { http: 408, grpc: 4 }, message);
}

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

// grpc-js's type asks for its own class; only what comes from the client is replaced.
class AdmittedCall extends ServerInterceptingCall {
  readonly #admission: GrpcAdmission;
  readonly #method: ServerMethodDefinition<unknown, unknown>;
  readonly #call: ServerInterceptingCallInterface;
  readonly #takesBody: boolean;
  readonly #startedMs = performance.now();
  #lastPieceMs = this.#startedMs;
  #listener: InterceptingServerListener | undefined;
  #reader: GrpcMessageReader | undefined;
  #stream: ServerHttp2Stream | undefined;

  constructor(
    admission: GrpcAdmission,
    method: ServerMethodDefinition<unknown, unknown>,
    call: ServerInterceptingCallInterface,
  ) {
    super(call);
    this.#admission = admission;
    this.#method = method;
    this.#call = call;
    this.#takesBody = admission.limits.bodyMethods.has(method.path);
  }

  get startedMs(): number {
    return this.#startedMs;
  }

  get lastPieceMs(): number {
    return this.#lastPieceMs;
  }

  override start(listener: InterceptingServerListener): void {
    this.#listener = listener;
    this.#call.start({
      onReceiveMetadata: (metadata) => this.#onMetadata(metadata),
      onReceiveMessage: () => undefined,
      onReceiveHalfClose: () => undefined,
      onCancel: () => {
        if (this.#reader !== undefined) {
          this.#close(CLIENT_GONE);
        }
        listener.onCancel();
      },
    });
  }

  /** The handler wants the message. */
  override startRead(): void {
    if (this.#reader !== undefined) this.#stream?.resume();
  }

  /** Ends the call before its handler sees it. */
  refuse(refusal: Refusal): void {
    this.#close(refusal);
    this.sendStatus(grpcStatusOf(refusal));
    const stream = this.#stream;
    if (stream === undefined || stream.readableEnded) return;
    // Tells the client to stop sending, and drops what is under way before it costs anything. It would overtake the status.
    setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
  }

  #onMetadata(metadata: Metadata): void {
    try {
      const call: object = this.#call;
      if (!isRawCall(call)) {
        throw new SpoorError('internal', 'this version of grpc-js hides the stream of a call');
      }
      const ofBody = this.#takesBody ? metadata : undefined;
      this.#stream = call.stream;
      this.#reader = this.#admission.begin(this, call.incomingEncoding, ofBody);
      this.#admission.widen(call.stream.session);
      // The listener that buffers without a bound.
      call.stream.removeAllListeners('data');
      call.stream.on('data', (piece: Buffer) => this.#onPiece(piece));
      call.stream.on('end', () => this.#onEnd());
    } catch (error) {
      this.refuse(refusalOf(error));
      return;
    }
    this.#listener?.onReceiveMetadata(metadata);
  }

  #onPiece(piece: Buffer): void {
    if (this.#reader === undefined) return;
    this.#lastPieceMs = performance.now();
    try {
      this.#reader.append(piece);
    } catch (error) {
      this.refuse(refusalOf(error));
    }
  }

  #onEnd(): void {
    const reader = this.#reader;
    // A stream that is cut off ends as well, and is cancelled after that.
    if (reader === undefined || this.#stream?.closed === true) return;
    if (reader.isEmpty) {
      this.refuse(refusalOf(new SpoorError('malformed', 'grpc: the call has no message')));
      return;
    }
    // From here on the message has the lease.
    this.#admission.end(this);
    this.#reader = undefined;
    try {
      const message = reader.finish();
      if (message instanceof Promise) {
        message.then(
          (decompressed) => this.#deliver(decompressed),
          (error: unknown) => this.refuse(refusalOf(error)),
        );
      } else {
        this.#deliver(message);
      }
    } catch (error) {
      this.refuse(refusalOf(error));
    }
  }

  #deliver(message: GrpcMessage): void {
    if (this.#takesBody) {
      if (this.#stream?.destroyed === true) {
        message.lease.release();
        this.#close(CLIENT_GONE);
        return;
      }
      this.#listener?.onReceiveMessage(message);
      this.#listener?.onReceiveHalfClose();
      return;
    }
    message.lease.release();
    let request: unknown;
    try {
      const { bytes } = message;
      request = this.#method.requestDeserialize(
        Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
      );
    } catch (error) {
      const { path } = this.#method;
      this.refuse(
        refusalOf(
          new SpoorError('malformed', `${path}: request cannot be decoded`, { cause: error }),
        ),
      );
      return;
    }
    this.#listener?.onReceiveMessage(request);
    this.#listener?.onReceiveHalfClose();
  }

  #close(refusal: Refusal): void {
    this.#admission.end(this);
    this.#reader?.abandon();
    this.#reader = undefined;
    if (this.#takesBody) this.#admission.countRefused(refusal);
  }
}
