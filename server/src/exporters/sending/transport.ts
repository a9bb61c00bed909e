// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';

/** Spans on their way: an `ExportTraceServiceRequest` in protobuf. It stays the same however often it is sent. */
export interface ExportRequest {
  readonly tenant: Tenant;
  readonly body: Uint8Array;
  readonly spans: number;
}

/** What a server says of a request that it took. */
export interface ExportAnswer {
  /** Spans that it left out for good. */
  readonly rejectedSpans: number;
  /** Why, or a warning; empty when there is nothing to say. */
  readonly message: string;
}

/** A way to one server. Requests may overlap. */
export interface Transport {
  /**
   * Resolves when the server has taken the request.
   * @throws {SpoorError} overloaded or unavailable, with the server's hint when to come again; another code when the server
   * will never take it
   */
  send(request: ExportRequest, signal: AbortSignal): Promise<ExportAnswer>;
  /** Lets requests under way end and closes connections; none is made afterwards. */
  close(): void;
}

/** A server as it is configured. */
export interface ServerPlace {
  /** Name or address, an IPv6 address without its brackets; also for TLS and the Host header. */
  readonly host: string;
  readonly port: number;
  /** Of requests over HTTP, with a query when there is one; empty for gRPC. */
  readonly path: string;
  /** Whether it speaks plain text, not TLS. */
  readonly isPlain: boolean;
}

/** An address of a server. */
export interface ServerAddress extends ServerPlace {
  /** One of the addresses of the host. */
  readonly ip: string;
}

/** `host:port` of a server as it is configured: what the Host header and `:authority` say. */
export function authorityOf({ host, port }: ServerPlace): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
