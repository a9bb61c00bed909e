// SPDX-License-Identifier: Apache-2.0

/**
 * google.rpc.Status, the body of every error answer of OTLP, with the two details that it uses.
 * @see https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto
 * @see https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto
 */
export interface RpcStatus {
  /** A gRPC status code. */
  readonly code: number;
  readonly message: string;
  /** Adds a RetryInfo: how long to wait, in ms. */
  readonly retryDelayMs?: number | undefined;
  /** Adds a BadRequest with this description. */
  readonly violation?: string | undefined;
}

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';

/** The status as protobuf. */
export function encodeRpcStatus(status: RpcStatus): Buffer {
  const parts = [encodeInt(1, status.code), encodeText(2, status.message)];
  if (status.retryDelayMs !== undefined) {
    const seconds = Math.floor(status.retryDelayMs / 1000);
    const nanos = Math.round((status.retryDelayMs - seconds * 1000) * 1e6);
    const duration = Buffer.concat([encodeInt(1, seconds), encodeInt(2, nanos)]);
    parts.push(encodeAny(3, RETRY_INFO, encodeBytes(1, duration)));
  }
  if (status.violation !== undefined) {
    parts.push(encodeAny(3, BAD_REQUEST, encodeBytes(1, encodeText(2, status.violation))));
  }
  return Buffer.concat(parts);
}

/** The status as ProtoJSON. */
export function formatRpcStatus(status: RpcStatus): string {
  const details: object[] = [];
  if (status.retryDelayMs !== undefined) {
    details.push({ '@type': RETRY_INFO, retryDelay: `${status.retryDelayMs / 1000}s` });
  }
  if (status.violation !== undefined) {
    details.push({ '@type': BAD_REQUEST, fieldViolations: [{ description: status.violation }] });
  }
  return JSON.stringify({
    code: status.code,
    message: status.message,
    ...(details.length === 0 ? {} : { details }),
  });
}

/** A protobuf field of type int32, int64 or enum; nothing for 0. `value` is a whole number from 0 to 2^53. */
export function encodeInt(field: number, value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.from([...varint(field << 3), ...varint(value)]);
}

/** A protobuf field of type string; nothing for an empty one. */
export function encodeText(field: number, text: string): Buffer {
  return text === '' ? Buffer.alloc(0) : encodeBytes(field, Buffer.from(text, 'utf8'));
}

/** A protobuf field of type bytes or of a message type. */
export function encodeBytes(field: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from([...varint((field << 3) | 2), ...varint(bytes.length)]),
    bytes,
  ]);
}

function encodeAny(field: number, typeUrl: string, value: Uint8Array): Buffer {
  return encodeBytes(field, Buffer.concat([encodeText(1, typeUrl), encodeBytes(2, value)]));
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}
