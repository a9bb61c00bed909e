// SPDX-License-Identifier: Apache-2.0
import type { Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { ServerInterceptingCallInterface, ServerMethodDefinition } from '@grpc/grpc-js';
import { GrpcCall, type CallWatch, type GrpcBodyMethod, type WatchedCall } from './grpc-call.ts';
import { GrpcSmallCall } from './grpc-small-call.ts';
import { MemoryBudget } from './memory-budget.ts';

/** For all requests of methods without bodies in flight: apart, so that a full budget doesn't fail health checks. */
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
  /** Largest message of a body method, both before and after decompression. */
  readonly capBytes: number;
  /** Longest pause while a message comes, in ms. */
  readonly idleTimeoutMs: number;
  /** Time for a whole message to come, in ms. */
  readonly requestTimeoutMs: number;
}

/** Reads the messages of all calls of a gRPC server: body methods straight from HTTP/2, the others for grpc-js. */
export class GrpcAdmission implements CallWatch {
  readonly #limits: GrpcAdmissionLimits;
  readonly #reading = new Set<WatchedCall>();
  readonly #sweep: NodeJS.Timeout;
  readonly #smallBudget = new MemoryBudget(SMALL_BUDGET_BYTES);
  readonly #widened = new WeakSet<Http2Session>();
  #draining = false;

  constructor(limits: GrpcAdmissionLimits) {
    this.#limits = limits;
    // One timer looks at all calls: a timer per call and per piece would cost more than the rest.
    const shortest = Math.min(limits.idleTimeoutMs, limits.requestTimeoutMs);
    this.#sweep = setInterval(() => this.#endSlow(), Math.max(10, Math.ceil(shortest / 4)));
    this.#sweep.unref();
  }

  get capBytes(): number {
    return this.#limits.capBytes;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Takes a call of a body method. */
  open(method: GrpcBodyMethod, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    this.#widen(stream.session);
    new GrpcCall(this, method, stream, headers).open();
  }

  /** The interceptor for all other calls, for the options of the server. */
  readonly interceptor = (
    method: ServerMethodDefinition<unknown, unknown>,
    call: ServerInterceptingCallInterface,
  ): GrpcSmallCall => new GrpcSmallCall(this, this.#smallBudget, method, call);

  begin(call: WatchedCall): void {
    this.#reading.add(call);
  }

  end(call: WatchedCall): void {
    this.#reading.delete(call);
  }

  /** Refuses new calls of body methods; those whose message is being read go on. */
  drain(): void {
    this.#draining = true;
  }

  /** Stops the timer. */
  shutdown(): void {
    this.#draining = true;
    clearInterval(this.#sweep);
  }

  /** Widens the flow control windows of a connection at its first call; grpc-js has no option for it. */
  #widen(session: Http2Session | undefined): void {
    if (session === undefined || session.destroyed || this.#widened.has(session)) return;
    this.#widened.add(session);
    session.settings({ initialWindowSize: STREAM_WINDOW_BYTES });
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
  }

  #endSlow(): void {
    const nowMs = performance.now();
    const { idleTimeoutMs, requestTimeoutMs } = this.#limits;
    for (const call of this.#reading) {
      if (nowMs - call.lastPieceMs > idleTimeoutMs) {
        call.timeOut(`request message stopped for ${idleTimeoutMs} ms`);
      } else if (nowMs - call.startedMs > requestTimeoutMs) {
        call.timeOut(`request message did not come within ${requestTimeoutMs} ms`);
      }
    }
  }
}
