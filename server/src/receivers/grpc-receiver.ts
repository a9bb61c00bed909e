// SPDX-License-Identifier: Apache-2.0
import type { Metadata, sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import type { Tenant } from '@spoor/core/model/ids.ts';
import { grpcStatusOf } from '#net/grpc-status.ts';
import { GrpcListener, type GrpcListenerSettings, type GrpcService } from '#net/grpc-listener.ts';
import type { GrpcMessage } from '#net/grpc-message-reader.ts';
import type { BoundAddress } from '#net/listening-socket.ts';
import type { IngestFormat, IngestResult } from '#pipeline/trace-ingest.ts';
import { ReceiverIntake, type ReceiverParts } from './intake.ts';
import type { ReceiverFigures } from './receiver-counters.ts';

/** What a protocol over gRPC has of its own: the method that takes spans, and its answer. */
export interface GrpcDialect {
  /** How the log calls it, such as `otlp grpc`. */
  readonly name: string;
  /** Path of its section in the configuration. */
  readonly path: string;
  /** Full name of the service, and its method. */
  readonly service: string;
  readonly method: string;
  readonly format: IngestFormat;
  /** The answer to a request that was taken. */
  encodeAnswer(result: IngestResult): Buffer;
}

/** Receives spans over gRPC: calls of the one method of its {@link GrpcDialect}. */
export class GrpcReceiver {
  readonly #parts: ReceiverParts;
  readonly #dialect: GrpcDialect;
  readonly #listener: GrpcListener;
  readonly #intake: ReceiverIntake;

  constructor(settings: GrpcListenerSettings, parts: ReceiverParts, dialect: GrpcDialect) {
    this.#parts = parts;
    this.#dialect = dialect;
    this.#intake = new ReceiverIntake(dialect.name, parts);
    this.#listener = new GrpcListener(
      dialect.path,
      settings,
      [this.#service()],
      (metadata) => parts.budgetOf(this.#readTenant(metadata)),
      (refusal) => this.#intake.counters.countRefused(dialect.format, refusal),
      parts.logger,
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

  /** What was received since the start. */
  get figures(): ReceiverFigures {
    return this.#intake.counters.figures;
  }

  /** Binds; see {@link GrpcListener.start}. */
  start(): Promise<void> {
    return this.#listener.start();
  }

  /** Lets running requests finish; see {@link GrpcListener.shutdown}. */
  shutdown(deadlineMs: number): Promise<void> {
    return this.#listener.shutdown(deadlineMs);
  }

  #service(): GrpcService {
    const { service, method } = this.#dialect;
    const path = `/${service}/${method}`;
    return {
      name: service,
      definition: {
        // Requests and answers stay bytes: they are decoded straight into columns.
        [method]: {
          path,
          requestStream: false,
          responseStream: false,
          requestSerialize: passBytes,
          requestDeserialize: passBytes,
          responseSerialize: passBytes,
          responseDeserialize: passBytes,
        },
      },
      implementation: {
        [method]: (call: ServerUnaryCall<GrpcMessage, Buffer>, respond: sendUnaryData<Buffer>) =>
          void this.#onCall(call, respond),
      },
      bodyMethods: [path],
    };
  }

  async #onCall(
    call: ServerUnaryCall<GrpcMessage, Buffer>,
    respond: sendUnaryData<Buffer>,
  ): Promise<void> {
    // Cannot throw: a call that names no tenant was refused at its headers, for want of a budget.
    const tenant = this.#readTenant(call.metadata);
    const abort = new AbortController();
    let settled = false;
    // Comes with the end of every call; aborting for nothing costs an exception.
    call.on('cancelled', () => {
      if (!settled) abort.abort();
    });
    const { format } = this.#dialect;
    const outcome = await this.#intake.take(
      tenant,
      { format, ...call.request },
      { signal: abort.signal },
    );
    settled = true;
    if ('result' in outcome) {
      respond(null, this.#dialect.encodeAnswer(outcome.result));
    } else {
      this.#intake.counters.countRefused(format, outcome.refusal);
      respond(grpcStatusOf(outcome.refusal));
    }
  }

  #readTenant(metadata: Metadata): Tenant {
    return this.#parts.tenancy.tenantOf((header) => metadata.get(header).join(', '));
  }
}

function passBytes(bytes: Buffer): Buffer {
  return bytes;
}
