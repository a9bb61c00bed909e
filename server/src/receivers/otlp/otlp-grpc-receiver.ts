// SPDX-License-Identifier: Apache-2.0
import type { Metadata, sendUnaryData, ServerUnaryCall, ServiceDefinition } from '@grpc/grpc-js';
import type { Tenant } from '@spoor/core/model/ids.ts';
import { grpcStatusOf } from '#net/grpc-status.ts';
import { GrpcListener } from '#net/grpc-listener.ts';
import type { GrpcMessage } from '#net/grpc-message-reader.ts';
import type { BoundAddress } from '#net/listening-socket.ts';
import { ExportIntake, type OtlpReceiverParts } from './export-intake.ts';
import { encodeExportResponse } from './export-response.ts';
import type { OtlpGrpcSettings } from './otlp-settings.ts';
import type { ReceiverFigures } from './receiver-counters.ts';

const SERVICE = 'opentelemetry.proto.collector.trace.v1.TraceService';
const EXPORT_PATH = `/${SERVICE}/Export`;

// Requests and answers stay bytes: they are decoded straight into columns.
const TRACE_SERVICE: ServiceDefinition = {
  Export: {
    path: EXPORT_PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: passBytes,
    requestDeserialize: passBytes,
    responseSerialize: passBytes,
    responseDeserialize: passBytes,
  },
};

/**
 * Receives OTLP/gRPC: TraceService/Export.
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/docs/specification.md#otlpgrpc
 */
export class OtlpGrpcReceiver {
  readonly #parts: OtlpReceiverParts;
  readonly #listener: GrpcListener;
  readonly #intake: ExportIntake;

  constructor(settings: OtlpGrpcSettings, parts: OtlpReceiverParts) {
    this.#parts = parts;
    this.#intake = new ExportIntake('otlp grpc', parts);
    this.#listener = new GrpcListener(
      'receivers.otlp.protocols.grpc',
      settings,
      [
        {
          name: SERVICE,
          definition: TRACE_SERVICE,
          implementation: {
            Export: (call: ServerUnaryCall<GrpcMessage, Buffer>, respond: sendUnaryData<Buffer>) =>
              void this.#onExport(call, respond),
          },
          bodyMethods: [EXPORT_PATH],
        },
      ],
      (metadata) => parts.budgetOf(this.#readTenant(metadata)),
      (refusal) => this.#intake.counters.countRefused('otlp_proto', refusal),
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

  async #onExport(
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
    const request = { format: 'otlp_proto', ...call.request } as const;
    const outcome = await this.#intake.take(tenant, request, abort.signal);
    settled = true;
    if ('result' in outcome) {
      respond(null, encodeExportResponse(outcome.result));
    } else {
      this.#intake.counters.countRefused('otlp_proto', outcome.refusal);
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
