// SPDX-License-Identifier: Apache-2.0
import { Client, Metadata, credentials, status, type ServiceError } from '@grpc/grpc-js';
import { SpoorError, quote } from '@spoor/core/model/errors.ts';
import type { LoadTransport, LoadTransportOptions } from './load-transport.ts';
import { decodeExportResponse, decodeRetryDelayMs, type SendOutcome } from './otlp-answer.ts';

const METHOD = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

/**
 * Codes after which the same request may be sent again. RESOURCE_EXHAUSTED counts only with a RetryInfo.
 * @see https://opentelemetry.io/docs/specs/otlp/#failures
 */
const RETRYABLE: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

/** gzip, as grpc-js numbers it. */
const GZIP = 2;

/** OTLP over gRPC, with bodies as they are. */
export class GrpcTransport implements LoadTransport {
  readonly #client: Client;
  readonly #options: LoadTransportOptions;

  /** @throws {SpoorError} invalid_argument: the endpoint is not `host:port` */
  constructor(options: LoadTransportOptions) {
    this.#options = options;
    const { target, secure } = parseTarget(options.endpoint);
    this.#client = new Client(
      target,
      secure ? credentials.createSsl() : credentials.createInsecure(),
      {
        ...(options.gzip ? { 'grpc.default_compression_algorithm': GZIP } : {}),
        // Connections of their own, which end with this transport.
        'grpc.use_local_subchannel_pool': 1,
        'grpc.initial_reconnect_backoff_ms': 200,
        'grpc.max_reconnect_backoff_ms': 2000,
      },
    );
  }

  async send(body: Uint8Array, tenant: string): Promise<SendOutcome> {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(this.#options.headers)) metadata.set(name, value);
    if (tenant !== '') metadata.set(this.#options.tenantHeader, tenant);
    const deadline = Date.now() + this.#options.timeoutMs;
    return await new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        this.#options.method ?? METHOD,
        asBuffer,
        (answer) => answer,
        body,
        metadata,
        { deadline },
        (error, answer) => resolve(error === null ? readAnswer(answer) : readError(error)),
      );
    });
  }

  close(): void {
    this.#client.close();
  }
}

function asBuffer(body: Uint8Array): Buffer {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

function readAnswer(answer: Buffer | undefined): SendOutcome {
  try {
    return decodeExportResponse(answer ?? new Uint8Array(0));
  } catch (error) {
    return { kind: 'failed', reason: `OK with ${String(error)}` };
  }
}

function readError(error: ServiceError): SendOutcome {
  const reason = `gRPC ${status[error.code] ?? error.code}`;
  const details = error.metadata.get('grpc-status-details-bin')[0];
  const retryAfterMs = Buffer.isBuffer(details) ? decodeRetryDelayMs(details) : undefined;
  const exhausted = error.code === status.RESOURCE_EXHAUSTED && retryAfterMs !== undefined;
  if (!exhausted && !RETRYABLE.has(error.code)) return { kind: 'failed', reason };
  return { kind: 'retry', reason, retryAfterMs };
}

function parseTarget(endpoint: string): { target: string; secure: boolean } {
  const match = /^(?:(https?|grpcs?):\/\/)?([^/\s]+:\d{1,5})\/?$/.exec(endpoint);
  if (match === null) {
    throw new SpoorError('invalid_argument', `endpoint ${quote(endpoint)} is not host:port`);
  }
  return { target: match[2]!, secure: match[1] === 'https' || match[1] === 'grpcs' };
}
