// SPDX-License-Identifier: Apache-2.0
import type { OutgoingHttpHeaders } from 'node:http2';
import { Metadata } from '@grpc/grpc-js';
import { GRPC_ACCEPTED_ENCODINGS } from './grpc-message-reader.ts';
import { rpcStatusOf, type Refusal } from './refusal.ts';
import { encodeRpcStatus } from './rpc-status.ts';

/** How a call ends. */
interface GrpcStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

/** Headers of refusals that were answered: the same refusal is given again and again under overload. */
const REFUSAL_HEADERS = new WeakMap<Refusal, OutgoingHttpHeaders>();

/** The headers that are the whole answer to a call that is refused. */
export function grpcHeadersOf(refusal: Refusal): OutgoingHttpHeaders {
  const known = REFUSAL_HEADERS.get(refusal);
  if (known !== undefined) return known;
  const headers: OutgoingHttpHeaders = {
    ':status': 200,
    'content-type': 'application/grpc',
    'grpc-status': refusal.grpcCode,
    'grpc-message': encodeURI(refusal.message),
  };
  const { metadata } = grpcStatusOf(refusal);
  Object.assign(headers, metadata.toHttp2Headers());
  REFUSAL_HEADERS.set(refusal, headers);
  return headers;
}

/** The status that refuses a call. */
export function grpcStatusOf(refusal: Refusal): GrpcStatus {
  const metadata = new Metadata();
  if (refusal.retryAfterMs !== undefined) {
    metadata.set('grpc-status-details-bin', encodeRpcStatus(rpcStatusOf(refusal)));
  }
  if (refusal.reason === 'unsupported') {
    metadata.set('grpc-accept-encoding', GRPC_ACCEPTED_ENCODINGS);
  }
  return { code: refusal.grpcCode, details: refusal.message, metadata };
}
