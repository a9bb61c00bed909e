// SPDX-License-Identifier: Apache-2.0
import type { SendOutcome } from './otlp-answer.ts';

/** What is known of a request where nobody answers. */
export interface UnansweredOutcome {
  readonly kind: 'sent';
  /** Spans that could not be sent. */
  readonly lostSpans: number;
  /** Why; empty where all were. */
  readonly message: string;
}

/** Carries encoded requests to a receiver. */
export interface LoadTransport {
  /** Sends a request once; never rejects. */
  send(body: Uint8Array, tenant: string): Promise<SendOutcome | UnansweredOutcome>;
  /** Closes all connections; requests under way end as `retry`. May be called more than once. */
  close(): void;
}

/** Where and how requests are sent. */
export interface LoadTransportOptions {
  /** HTTP: a URL, with `/v1/traces` unless it has a path. gRPC: `host:port`, or a URL whose scheme says whether TLS is used. */
  readonly endpoint: string;
  /** Connections kept, and requests under way, at most. */
  readonly workers: number;
  readonly gzip: boolean;
  /** How long an answer may take. */
  readonly timeoutMs: number;
  /** Sent with every request; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of a body over HTTP; OTLP's by default. */
  readonly contentType?: string;
  /** Path of the method over gRPC; OTLP's by default. */
  readonly method?: string;
  /** Header that names the tenant of a request that has one; in lower case. */
  readonly tenantHeader: string;
}
