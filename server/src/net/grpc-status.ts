// SPDX-License-Identifier: Apache-2.0
import { Metadata } from '@grpc/grpc-js';
import { GRPC_ACCEPTED_ENCODINGS } from './grpc-message-reader.ts';
import { rpcStatusOf, type Refusal } from './refusal.ts';
import { encodeRpcStatus } from './rpc-status.ts';

/** How a call ends. */
export interface GrpcStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
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
