// SPDX-License-Identifier: Apache-2.0
import type { Metadata, sendUnaryData, ServerUnaryCall, ServiceDefinition } from '@grpc/grpc-js';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import { grpcStatusOf } from '#net/grpc-status.ts';
import { GrpcListener } from '#net/grpc-listener.ts';
import type { GrpcMessage } from '#net/grpc-message-reader.ts';
import type { BoundAddress } from '#net/http-listener.ts';
import { LogThrottle } from '#net/logger.ts';
import { refusalOf } from '#net/refusal.ts';
import { encodeExportResponse } from './export-response.ts';
import type { OtlpReceiverParts } from './otlp-http-receiver.ts';
import type { OtlpGrpcSettings } from './otlp-settings.ts';
import { ReceiverCounters, type ReceiverFigures } from './receiver-counters.ts';

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

const ERROR_LOG_INTERVAL_MS = 10_000;

/**
 * Receives OTLP/gRPC: TraceService/Export.
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/docs/specification.md#otlpgrpc
 */
export class OtlpGrpcReceiver {
  readonly #parts: OtlpReceiverParts;
  readonly #listener: GrpcListener;
  readonly #counters = new ReceiverCounters();
  readonly #throttle = new LogThrottle(ERROR_LOG_INTERVAL_MS);

  constructor(settings: OtlpGrpcSettings, parts: OtlpReceiverParts) {
    this.#parts = parts;
    this.#listener = new GrpcListener(
      'receivers.otlp.protocols.grpc',
      settings,
      [
        {
          name: SERVICE,
          definition: TRACE_SERVICE,
          implementation: {
            Export: (call: ServerUnaryCall<GrpcMessage, Buffer>, respond: sendUnaryData<Buffer>) =>
              this.#onExport(call, respond),
          },
          bodyMethods: [EXPORT_PATH],
        },
      ],
      (metadata) => parts.budgetOf(this.#readTenant(metadata)),
      (refusal) => this.#counters.countRefused('otlp_proto', refusal),
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
    return this.#counters.figures;
  }

  /** Binds; see {@link GrpcListener.start}. */
  start(): Promise<void> {
    return this.#listener.start();
  }

  /** Lets running requests finish; see {@link GrpcListener.shutdown}. */
  shutdown(deadlineMs: number): Promise<void> {
    return this.#listener.shutdown(deadlineMs);
  }

  #onExport(call: ServerUnaryCall<GrpcMessage, Buffer>, respond: sendUnaryData<Buffer>): void {
    const { bytes, wireBytes, lease } = call.request;
    this.#counters.countBody('otlp_proto', wireBytes, bytes.length);
    let settled = false;
    const fail = (error: unknown): void => {
      settled = true;
      lease.release();
      if (!(error instanceof SpoorError) || error.code === 'internal') this.#logFault(error);
      const refusal = refusalOf(error);
      this.#counters.countRefused('otlp_proto', refusal);
      respond(grpcStatusOf(refusal));
    };
    let tenant: Tenant;
    try {
      tenant = this.#readTenant(call.metadata);
    } catch (error) {
      fail(error);
      return;
    }
    const abort = new AbortController();
    // Comes with the end of every call; aborting for nothing costs an exception.
    call.on('cancelled', () => {
      if (!settled) abort.abort();
    });
    this.#parts.ingest
      .ingest(tenant, 'otlp_proto', bytes, { signal: abort.signal })
      .then((result) => {
        settled = true;
        lease.release();
        this.#counters.countTaken('otlp_proto', result);
        this.#parts.tenantCounters?.countTaken(tenant, result.accepted, bytes.length);
        respond(null, encodeExportResponse(result));
      }, fail);
  }

  #readTenant(metadata: Metadata): Tenant {
    return this.#parts.tenancy.tenantOf((header) => metadata.get(header).join(', '));
  }

  #logFault(error: unknown): void {
    this.#throttle.log((suppressed) =>
      this.#parts.logger.error({ err: error, suppressed }, 'otlp grpc: request failed'),
    );
  }
}

function passBytes(bytes: Buffer): Buffer {
  return bytes;
}
