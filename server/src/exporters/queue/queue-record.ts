// SPDX-License-Identifier: Apache-2.0
import { crc32 } from 'node:zlib';
import { parseTenant } from '@spoor/core/model/ids.ts';
import type { ExportRequest } from '#exporters/sending/transport.ts';

/*
 * A record of a queue on disk, format 1. Numbers are little endian; a record begins and ends at a multiple of 8.
 *
 *   at  size  what
 *    0     4  "SPQ" and 1
 *    4     4  0 while it waits, 1 once a server has taken it; written in place and not synced, so not in the checksum
 *    8     4  CRC-32 (zlib) of all that follows, to the end of the record
 *   12     4  id of the segment, so that what an earlier file left on the device is no record
 *   16     4  spans
 *   20     4  bytes of the tenant
 *   24     4  bytes of the body
 *   28     4  0
 *   32        tenant, ASCII; body: ExportTraceServiceRequest in protobuf; 0 to 7 zeros up to a multiple of 8
 */
const MAGIC = 0x01515053;

/** Bytes before the tenant. */
export const QUEUE_HEADER_BYTES = 32;
/** Records begin at multiples of this. */
export const QUEUE_ALIGNMENT = 8;
/** Where the state of a record is. */
export const STATE_OFFSET = 4;
/** The state of a record that a server has taken. */
export const TAKEN_STATE: Uint8Array = Uint8Array.of(1, 0, 0, 0);

/** The last part of a request before its body, so that it can be told how long a record is. */
const CRC_FROM = 12;

/** What a header says; whether it is true shows when the record is read. */
export interface QueueRecordHeader {
  readonly lengthBytes: number;
  readonly isTaken: boolean;
}

/** Bytes that a request takes as a record. */
export function recordBytes({ tenant, body }: ExportRequest): number {
  return aligned(QUEUE_HEADER_BYTES + tenant.length + body.length);
}

/** A request as a record, in pieces that are written one after the other; the body is not copied. */
export function encodeRecord(request: ExportRequest, segmentId: number): Uint8Array[] {
  const { tenant, body, spans } = request;
  const head = Buffer.alloc(QUEUE_HEADER_BYTES + tenant.length);
  head.writeUInt32LE(MAGIC, 0);
  head.writeUInt32LE(segmentId, 12);
  head.writeUInt32LE(spans, 16);
  head.writeUInt32LE(tenant.length, 20);
  head.writeUInt32LE(body.length, 24);
  head.write(tenant, QUEUE_HEADER_BYTES, 'latin1');
  const padding = new Uint8Array(recordBytes(request) - head.length - body.length);
  const sum = [head.subarray(CRC_FROM), body, padding].reduce((crc, part) => crc32(part, crc), 0);
  head.writeUInt32LE(sum, 8);
  return [head, body, padding];
}

/**
 * Reads the header of a record that may be in a segment.
 * @returns undefined when it is none
 */
export function decodeHeader(bytes: Uint8Array, segmentId: number): QueueRecordHeader | undefined {
  if (bytes.length < QUEUE_HEADER_BYTES) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(12, true) !== segmentId) return undefined;
  const lengthBytes = aligned(
    QUEUE_HEADER_BYTES + view.getUint32(20, true) + view.getUint32(24, true),
  );
  return { lengthBytes, isTaken: view.getUint32(STATE_OFFSET, true) !== 0 };
}

/**
 * Reads a whole record, of the length that its header says.
 * @returns undefined when the checksum is wrong
 */
export function decodeRecord(bytes: Uint8Array): ExportRequest | undefined {
  const view = viewOf(bytes);
  if (crc32(bytes.subarray(CRC_FROM)) !== view.getUint32(8, true)) return undefined;
  const bodyAt = QUEUE_HEADER_BYTES + view.getUint32(20, true);
  return {
    tenant: parseTenant(Buffer.from(bytes.subarray(QUEUE_HEADER_BYTES, bodyAt)).toString('latin1')),
    body: bytes.subarray(bodyAt, bodyAt + view.getUint32(24, true)),
    spans: view.getUint32(16, true),
  };
}

function aligned(size: number): number {
  return Math.ceil(size / QUEUE_ALIGNMENT) * QUEUE_ALIGNMENT;
}

function viewOf({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, length);
}
