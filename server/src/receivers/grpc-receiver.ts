// SPDX-License-Identifier: Apache-2.0
import { warnOfClearTokens } from '#net/clear-tokens.ts';
import type { GrpcBodyMethod, GrpcCall } from '#net/grpc-call.ts';
import { GrpcListener, type GrpcListenerSettings } from '#net/grpc-listener.ts';
import type { GrpcMessage } from '#net/grpc-message-reader.ts';
import type { BoundAddress, GrpcPort } from '#net/listening-socket.ts';
import type { ServerTls } from '#net/tls/server-tls.ts';
import type { IngestFormat, IngestResult } from '#pipeline/trace-ingest.ts';
import { ReceiverIntake, type PlacedReceiverParts } from './intake.ts';
import type { ReceiverFigures } from './receiver-counters.ts';

/** What a protocol over gRPC has of its own: the method that takes spans, and its answer. */
export interface GrpcDialect {
  /** How the log calls it, such as `otlp grpc`. */
  readonly name: string;
  /** Full name of the service, and its method. */
  readonly service: string;
  readonly method: string;
  readonly format: IngestFormat;
  /** The answer to a request that was taken. */
  encodeAnswer(result: IngestResult): Buffer;
}

/** Receives spans over gRPC: calls of the one method of its {@link GrpcDialect}. */
export class GrpcReceiver {
  readonly #settings: GrpcListenerSettings;
  readonly #parts: PlacedReceiverParts;
  readonly #dialect: GrpcDialect;
  readonly #isGuest: boolean;
  readonly #listener: GrpcListener;
  readonly #intake: ReceiverIntake;

  /**
   * @param otherMethods served on the same port, which do not take spans
   * @param port that it shares; by default it has its own
   */
  constructor(
    settings: GrpcListenerSettings,
    parts: PlacedReceiverParts,
    dialect: GrpcDialect,
    otherMethods: readonly GrpcBodyMethod[] = [],
    port?: GrpcPort,
  ) {
    this.#settings = settings;
    this.#parts = parts;
    this.#dialect = dialect;
    this.#isGuest = port !== undefined;
    this.#intake = new ReceiverIntake(dialect.name, parts);
    this.#listener = new GrpcListener(
      parts.path,
      settings,
      [this.#method(), ...otherMethods],
      parts.logger,
      port,
    );
  }

  /** Where the receiver is bound, or undefined while it isn't. */
  get address(): BoundAddress | undefined {
    return this.#listener.address;
  }

  /** Connections open now, and those dropped because there were too many. */
  get connections(): { readonly open: number; readonly dropped: number } {
    return this.#listener.connections;
  }

  /** Undefined where it speaks plain text. */
  get tls(): ServerTls | undefined {
    return this.#listener.tls;
  }

  /** What was received since the start. */
  get figures(): ReceiverFigures {
    return this.#intake.counters.figures;
  }

  /** Binds; see {@link GrpcListener.start}. */
  start(): Promise<void> {
    const { path, tenancy, logger } = this.#parts;
    // On a port that it shares its host says so.
    if (!this.#isGuest) warnOfClearTokens(path, this.#settings, tenancy, logger);
    return this.#listener.start();
  }

  /** Lets running requests finish; see {@link GrpcListener.shutdown}. */
  shutdown(deadlineMs: number): Promise<void> {
    return this.#listener.shutdown(deadlineMs);
  }

  #method(): GrpcBodyMethod {
    const { service, method, format } = this.#dialect;
    return {
      service,
      path: `/${service}/${method}`,
      budgetOf: (call) => {
        const { headers, remoteAddress } = call;
        call.tenant = this.#parts.tenancy.tenantOf((header) => headers[header], remoteAddress);
        return this.#parts.budgetOf(call.tenant);
      },
      handle: (call, message) => void this.#onCall(call, message),
      onRefused: (refusal) => this.#intake.counters.countRefused(format, refusal),
    };
  }

  async #onCall(call: GrpcCall, message: GrpcMessage): Promise<void> {
    const { format } = this.#dialect;
    const { bytes, wireBytes, lease } = message;
    const request = { format, bytes, wireBytes, lease };
    const outcome = await this.#intake.take(call.tenant, request, { sender: call });
    if ('result' in outcome) {
      call.answer(this.#dialect.encodeAnswer(outcome.result));
    } else {
      this.#intake.counters.countRefused(format, outcome.refusal);
      call.refuse(outcome.refusal);
    }
  }
}
