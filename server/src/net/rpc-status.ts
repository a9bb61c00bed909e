// SPDX-License-Identifier: Apache-2.0
import { decodeText } from '@spoor/core/model/utf8.ts';
import { ProtoReader, WireType } from '@spoor/core/wire/protobuf/reader.ts';

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

/**
 * Reads a status in protobuf, as a server answers with it; details other than RetryInfo are passed over.
 * @throws {SpoorError} malformed
 */
export function decodeRpcStatus(bytes: Uint8Array): RpcStatus {
  const reader = new ProtoReader('google.rpc.Status', bytes);
  let code = 0;
  let message = '';
  let retryDelayMs: number | undefined;
  readFields(reader, bytes.length, (tag, end) => {
    if (tag === intTag(1)) code = reader.varint32(end);
    else if (tag === bytesTag(2)) message = readText(reader, end);
    else if (tag === bytesTag(3)) retryDelayMs = readRetryInfo(reader, end) ?? retryDelayMs;
    else reader.skip(tag, end);
  });
  return { code, message, retryDelayMs };
}

/** The delay of an Any that is a RetryInfo, in ms. */
function readRetryInfo(reader: ProtoReader, end: number): number | undefined {
  let typeUrl = '';
  let delayMs: number | undefined;
  const anyEnd = reader.length(end) + reader.position;
  readFields(reader, anyEnd, (tag) => {
    if (tag === bytesTag(1)) typeUrl = readText(reader, anyEnd);
    else if (tag === bytesTag(2) && typeUrl === RETRY_INFO) {
      const infoEnd = reader.length(anyEnd) + reader.position;
      readFields(reader, infoEnd, (field) => {
        if (field === bytesTag(1)) delayMs = readDuration(reader, infoEnd);
        else reader.skip(field, infoEnd);
      });
    } else reader.skip(tag, anyEnd);
  });
  return delayMs;
}

function readDuration(reader: ProtoReader, end: number): number {
  let ms = 0;
  const durationEnd = reader.length(end) + reader.position;
  readFields(reader, durationEnd, (tag) => {
    if (tag === intTag(1)) {
      reader.varint64(durationEnd);
      ms += ((reader.hi | 0) * 2 ** 32 + reader.lo) * 1000;
    } else if (tag === intTag(2)) ms += (reader.varint32(durationEnd) | 0) / 1e6;
    else reader.skip(tag, durationEnd);
  });
  return Math.max(0, ms);
}

/** Tag of a field of type int32, int64 or enum. */
export function intTag(field: number): number {
  return field * 8 + WireType.varint;
}

/** Tag of a field of type string or bytes, or of a message type. */
export function bytesTag(field: number): number {
  return field * 8 + WireType.bytes;
}

/** Calls `read` at the value of each field of the message that ends at `end`; it passes over the value. */
export function readFields(
  reader: ProtoReader,
  end: number,
  read: (tag: number, end: number) => void,
): void {
  while (reader.position < end) read(reader.tag(end), end);
}

/** A field of type string. */
export function readText(reader: ProtoReader, end: number): string {
  const length = reader.length(end);
  const start = reader.position;
  reader.position += length;
  return decodeText(reader.bytes, start, start + length);
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
