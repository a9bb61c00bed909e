// SPDX-License-Identifier: Apache-2.0
import { isIP, isIPv6 } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import {
  Client,
  compressionAlgorithms,
  credentials,
  Metadata,
  status as Status,
  type ServiceError,
} from '@grpc/grpc-js';
import { SpoorError, type ErrorCode } from '@spoor/core/model/errors.ts';
import {
  authorityOf,
  type ExportAnswer,
  type ExportRequest,
  type ServerAddress,
  type Transport,
} from '#exporters/sending/transport.ts';
import { decodeRpcStatus } from '#net/rpc-status.ts';
import type { TlsConnectOptions } from '#net/tls/client-tls.ts';
import { readExportAnswer, refusedBy } from './export-answer.ts';
import type { TlsSource } from './http-transport.ts';

/** Settings of a {@link GrpcTransport}. */
export interface GrpcTransportSettings {
  /** Metadata of each request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Key that hands on the tenant; undefined: none does. */
  readonly tenantHeader: string | undefined;
  readonly compression: 'gzip' | 'none';
  /** For one try, from its start to its answer, in ms. */
  readonly timeoutMs: number;
}

const METHOD = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

/** How soon a connection that could not be made is tried again: below the breaker's shortest pause, whose tries need it. */
const RECONNECT_MS = 500;

/** Quiet time after which a connection is pinged, so that one which hangs is found before it is needed, and time for the answer. */
const KEEPALIVE_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;

/** An address is no name to be told to a server, and grpc-js has to tell it one. */
const NAMELESS = 'address.invalid';

/** An answer says little. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** RESOURCE_EXHAUSTED is not among them: whether it may be sent again is told by a RetryInfo. */
const CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [Status.INVALID_ARGUMENT, 'malformed'],
  [Status.UNAUTHENTICATED, 'config'],
  [Status.PERMISSION_DENIED, 'config'],
  [Status.NOT_FOUND, 'config'],
  [Status.UNIMPLEMENTED, 'config'],
  // All that may be sent again.
  [Status.CANCELLED, 'unavailable'],
  [Status.DEADLINE_EXCEEDED, 'unavailable'],
  [Status.ABORTED, 'unavailable'],
  [Status.OUT_OF_RANGE, 'unavailable'],
  [Status.UNAVAILABLE, 'unavailable'],
  [Status.DATA_LOSS, 'unavailable'],
]);

/** How grpc-js calls streams that ended without a status: the codes it makes for them are not the server's word. */
const BROKEN_STREAM = /^(Received RST_STREAM with code|Bandwidth exhausted|Protocol not secure)/;

/** How grpc-js calls a connection that was refused, as it is where plain text comes to a port of Spoor that speaks TLS. */
const REFUSED_CONNECTION = /Stream refused by server|Session closed with error code 7/;

/**
 * Sends OTLP over gRPC to one server.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlpgrpc
 */
export class GrpcTransport implements Transport {
  readonly #settings: GrpcTransportSettings;
  readonly #name: string;
  readonly #address: ServerAddress;
  readonly #tls: TlsSource | undefined;
  #client: Client;
  #isClosed = false;
  /** With which the connections of the client are made. */
  #options: TlsConnectOptions | undefined;

  /**
   * @param name how errors call the server
   * @param tls undefined: plain text
   */
  constructor(
    settings: GrpcTransportSettings,
    address: ServerAddress,
    name: string,
    tls: TlsSource | undefined,
  ) {
    this.#settings = settings;
    this.#address = address;
    this.#name = name;
    this.#tls = tls;
    this.#options = tls?.options;
    this.#client = this.#createClient();
  }

  #createClient(): Client {
    const { host, ip, port } = this.#address;
    const { compression } = this.#settings;
    const target = isIPv6(ip) ? `ipv6:[${ip}]:${port}` : `ipv4:${ip}:${port}`;
    const options = this.#options;
    const how =
      options === undefined
        ? credentials.createInsecure()
        : credentials.createFromSecureContext(options.secureContext, {
            rejectUnauthorized: options.rejectUnauthorized !== false,
            checkServerIdentity: (_, certificate) => checkServerIdentity(serverName, certificate),
          });
    const serverName = options?.servername ?? host;
    return new Client(target, how, {
      'grpc.default_authority': authorityOf(this.#address),
      'grpc.ssl_target_name_override': isIP(serverName) === 0 ? serverName : NAMELESS,
      'grpc.primary_user_agent': 'Spoor',
      'grpc.max_send_message_length': -1,
      'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
      'grpc.default_compression_algorithm':
        compression === 'gzip' ? compressionAlgorithms.gzip : compressionAlgorithms.identity,
      // Trying again is decided where it is counted.
      'grpc.enable_retries': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
      'grpc.initial_reconnect_backoff_ms': RECONNECT_MS,
      'grpc.max_reconnect_backoff_ms': RECONNECT_MS,
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    });
  }

  send({ tenant, body }: ExportRequest, signal: AbortSignal): Promise<ExportAnswer> {
    this.#refreshTls();
    const { headers, tenantHeader, timeoutMs } = this.#settings;
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
    if (tenantHeader !== undefined) metadata.set(tenantHeader, tenant);
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        // Its name has another address now.
        reject(new SpoorError('unavailable', `${this.#name}: it is not used any more`));
        return;
      }
      const call = this.#client.makeUnaryRequest(
        METHOD,
        (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
        (bytes: Buffer) => bytes,
        body,
        metadata,
        { deadline: Date.now() + timeoutMs },
        (error, answer) => {
          signal.removeEventListener('abort', cancel);
          if (error === null) resolve(readExportAnswer(answer ?? NO_BYTES));
          else reject(signal.aborted ? this.#givenUp(error) : this.#refused(error));
        },
      );
      const cancel = (): void => call.cancel();
      if (signal.aborted) cancel();
      else signal.addEventListener('abort', cancel);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#client.close();
  }

  /** New connections are made with the certificates of now. */
  #refreshTls(): void {
    if (this.#tls === undefined || this.#tls.options === this.#options) return;
    this.#options = this.#tls.options;
    const before = this.#client;
    this.#client = this.#createClient();
    before.close();
  }

  #refused(error: ServiceError): SpoorError {
    const { code, details } = error;
    if (BROKEN_STREAM.test(details)) {
      return new SpoorError('unavailable', `${this.#name}: ${details}`, { cause: error });
    }
    const retryAfterMs = retryDelay(error);
    const isThrottled = code === Status.RESOURCE_EXHAUSTED;
    // Without a RetryInfo it is a message over the server's limit, which stays so.
    const throttled = retryAfterMs === undefined ? 'too_large' : 'overloaded';
    const mayWantTls = this.#tls === undefined && REFUSED_CONNECTION.test(details);
    return refusedBy(this.#name, isThrottled ? throttled : (CODES.get(code) ?? 'internal'), {
      status: Status[code] ?? `status ${code}`,
      message: mayWantTls ? `${details} (it was sent plain text; does it want TLS?)` : details,
      retryAfterMs,
    });
  }

  #givenUp(cause: ServiceError): SpoorError {
    return new SpoorError('unavailable', `${this.#name}: given up at the end`, { cause });
  }
}

const NO_BYTES = Buffer.alloc(0);

/** The delay of a RetryInfo, in ms. */
function retryDelay({ metadata }: ServiceError): number | undefined {
  const [details] = metadata.get('grpc-status-details-bin');
  if (!Buffer.isBuffer(details)) return undefined;
  try {
    return decodeRpcStatus(details).retryDelayMs;
  } catch {
    return undefined;
  }
}
