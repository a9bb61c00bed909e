// SPDX-License-Identifier: Apache-2.0
import { crc32 } from 'node:zlib';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { parseTenant } from '@spoor/core/model/ids.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { RequestRecord } from '#storage/tracestore.ts';

/*
 * A record of the write-ahead log, format 1. Numbers are little endian; a record begins and ends at a
 * multiple of 8 in its segment. 64-bit numbers stay below 2^53.
 *
 *   at  size  what
 *    0     4  "SPR" and 1
 *    4     4  CRC-32 (zlib) of all that follows, to the end of the record
 *    8     4  length of the record, header and padding included
 *   12     4  id of the segment
 *   16     4  salt of the segment
 *   20     4  place in its commit group: the group began at sequence - place
 *   24     8  sequence: 1, 2, 3 … through all segments
 *   32     8  when it was written, Unix ms
 *   40     4  bytes of the tenant
 *   44     4  number of requests
 *   48     4  bytes of the request table
 *   52     4  bytes of the extensions
 *   56     4  bytes of the batch
 *   60     4  CRC-32 of the head: of bytes 8 to 59 and of all from 64 up to the batch; 0 for none, as all had before there was one
 *   64        tenant, ASCII
 *             request table: per request 16 bytes digest, 4 accepted, 4 rejected, 4 bytes of the message,
 *             the message in UTF-8
 *             extensions: each 4 type, 4 length, then that many bytes
 *             0 to 7 zeros up to a multiple of 8
 *             the span batch
 *             0 to 7 zeros up to a multiple of 8
 *
 * Segment id and salt tell a record of this life of a file from one that an earlier life left there.
 * By the checksum of its head a record whose spans are in blocks is read without its batch.
 * The place in the group tells a torn end from damage: a group is written only after all groups before it
 * were durable, so a record proves that everything before its group once was.
 * Extensions of unknown type are handed on as they are: they may add, never change what a record means;
 * that takes a new format.
 */
const MAGIC = 0x01525053;
/** The magic as it lies in the file. */
export const RECORD_MAGIC: Uint8Array = Uint8Array.of(0x53, 0x50, 0x52, 0x01);
/** Bytes of the fixed header of a record. */
export const RECORD_HEADER_BYTES = 64;
/** Records begin at multiples of this. */
export const RECORD_ALIGNMENT = 8;

/** Largest record. Far above any batch (2 MiB, or one request of 64 MiB), far below what one write call takes. */
export const MAX_RECORD_BYTES = 1 << 30;

const CRC_FROM = 8;
const HEAD_CRC_AT = 60;
const REQUEST_BYTES = 28;
const EXTENSION_BYTES = 8;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });

/** Data of a record besides spans, such as the offset of the source it came from. */
interface WalExtension {
  /** 1 to 2^32 - 1. */
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** What the log is asked to keep. */
export interface WalRecordInput {
  readonly tenant: Tenant;
  readonly writtenUnixMs: number;
  readonly requests: readonly RequestRecord[];
  /** The bytes of a span batch; written from where they lie, so they must not change until `append` resolves. */
  readonly batch: Uint8Array;
  readonly extensions?: readonly WalExtension[];
}

/** The head of a record read back. */
interface WalRecordHead extends Required<Omit<WalRecordInput, 'batch'>> {
  readonly sequence: number;
}

/** A record read back. */
export interface WalRecord extends WalRecordHead {
  /** Where it was read, at a multiple of 8 of its buffer; undefined where it was not read, since its spans are stored elsewhere. */
  readonly batch: Uint8Array | undefined;
}

/** What a record's header says once its checksum was found right. */
export interface RecordHeader {
  readonly lengthBytes: number;
  readonly segmentId: number;
  readonly salt: number;
  readonly sequence: number;
  /** Sequence of the first record of its commit group. */
  readonly groupFirst: number;
}

/** Where a record is put. */
export interface RecordPlace {
  readonly segmentId: number;
  readonly salt: number;
  readonly sequence: number;
  readonly groupFirst: number;
}

/** `size` rounded up to a multiple of {@link RECORD_ALIGNMENT}. */
export function alignRecord(size: number): number {
  return Math.ceil(size / RECORD_ALIGNMENT) * RECORD_ALIGNMENT;
}

/**
 * Everything of a record before its batch; {@link placeRecord} completes it.
 * @throws {SpoorError} too_large
 */
export function encodeRecordHead(input: WalRecordInput): Uint8Array {
  const tenant = ENCODER.encode(input.tenant);
  const messages = input.requests.map((request) => ENCODER.encode(request.message));
  const extensions = input.extensions ?? [];
  let requestBytes = 0;
  for (const message of messages) requestBytes += REQUEST_BYTES + message.length;
  let extensionBytes = 0;
  for (const { bytes } of extensions) extensionBytes += EXTENSION_BYTES + bytes.length;
  const headBytes = alignRecord(
    RECORD_HEADER_BYTES + tenant.length + requestBytes + extensionBytes,
  );
  const lengthBytes = headBytes + alignRecord(input.batch.length);
  if (lengthBytes > MAX_RECORD_BYTES) {
    throw new SpoorError(
      'too_large',
      `write-ahead log: a record of ${lengthBytes} bytes is over the limit of ${MAX_RECORD_BYTES}`,
    );
  }

  const head = new Uint8Array(headBytes);
  const view = new DataView(head.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(8, lengthBytes, true);
  setUint53(view, 32, input.writtenUnixMs);
  view.setUint32(40, tenant.length, true);
  view.setUint32(44, input.requests.length, true);
  view.setUint32(48, requestBytes, true);
  view.setUint32(52, extensionBytes, true);
  view.setUint32(56, input.batch.length, true);
  head.set(tenant, RECORD_HEADER_BYTES);
  let at = RECORD_HEADER_BYTES + tenant.length;
  input.requests.forEach((request, i) => {
    const message = messages[i]!;
    head.set(request.digest.subarray(0, 16), at);
    view.setUint32(at + 16, request.accepted, true);
    view.setUint32(at + 20, request.rejected, true);
    view.setUint32(at + 24, message.length, true);
    head.set(message, at + REQUEST_BYTES);
    at += REQUEST_BYTES + message.length;
  });
  for (const { type, bytes } of extensions) {
    view.setUint32(at, type, true);
    view.setUint32(at + 4, bytes.length, true);
    head.set(bytes, at + EXTENSION_BYTES);
    at += EXTENSION_BYTES + bytes.length;
  }
  return head;
}

/** Zeros that pad a batch. */
const ZEROS = new Uint8Array(RECORD_ALIGNMENT);

/** Completes the head of a record for its place, and adds the pieces to write to `views`. */
export function placeRecord(
  head: Uint8Array,
  batch: Uint8Array,
  place: RecordPlace,
  views: Uint8Array[],
): void {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  view.setUint32(12, place.segmentId, true);
  view.setUint32(16, place.salt, true);
  view.setUint32(20, place.sequence - place.groupFirst, true);
  setUint53(view, 24, place.sequence);
  view.setUint32(HEAD_CRC_AT, headChecksum(head), true);
  const padding = ZEROS.subarray(0, alignRecord(batch.length) - batch.length);
  const checksum = crc32(padding, crc32(batch, crc32(head.subarray(CRC_FROM))));
  view.setUint32(4, checksum, true);
  views.push(head, batch);
  if (padding.length > 0) views.push(padding);
}

/**
 * Length that the record at the start of `header` claims, when that is possible and at most `available`;
 * otherwise undefined. Nothing is checked by checksum yet.
 * @param header at least {@link RECORD_HEADER_BYTES} bytes
 */
export function claimedLength(header: DataView, available: number): number | undefined {
  if (header.getUint32(0, true) !== MAGIC) return undefined;
  const length = header.getUint32(8, true);
  const fits = length >= RECORD_HEADER_BYTES && length <= available && length <= MAX_RECORD_BYTES;
  return fits && length % RECORD_ALIGNMENT === 0 ? length : undefined;
}

/** Whether a record claims to be of this segment; unchecked like {@link claimedLength}. Without a salt any will do. */
export function claimsSegment(
  header: DataView,
  segment: { readonly id: number; readonly salt?: number },
): boolean {
  if (header.getUint32(12, true) !== segment.id) return false;
  return segment.salt === undefined || header.getUint32(16, true) === segment.salt;
}

/**
 * Whether this is most likely the header of a record with this sequence in this segment, damaged or not: at least two of id, salt and
 * sequence are right, of which what an earlier life of the file left has one at most.
 */
export function resemblesRecord(
  header: DataView,
  place: Pick<RecordPlace, 'segmentId' | 'salt' | 'sequence'>,
): boolean {
  const isRight = [
    header.getUint32(12, true) === place.segmentId,
    header.getUint32(16, true) === place.salt,
    getUint53(header, 24) === place.sequence,
  ];
  return isRight.filter(Boolean).length >= 2;
}

/** Checksum of all before the batch, without itself and the one of the record. */
function headChecksum(head: Uint8Array): number {
  return crc32(head.subarray(RECORD_HEADER_BYTES), crc32(head.subarray(CRC_FROM, HEAD_CRC_AT)));
}

/** How long the head of a record claims to be, up to its batch; unchecked like {@link claimedLength}. */
export function claimedHeadLength(header: DataView): number {
  const parts = [40, 48, 52].map((at) => header.getUint32(at, true));
  return alignRecord(parts.reduce((sum, bytes) => sum + bytes, RECORD_HEADER_BYTES));
}

/** The sequence that a record claims to have; unchecked like {@link claimedLength}. */
export function claimedSequence(header: DataView): number {
  return getUint53(header, 24);
}

/** Header of the record whose head `bytes` is, or undefined when it has no checksum of its own or a wrong one. */
export function checkRecordHead(bytes: Uint8Array): RecordHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const checksum = view.getUint32(HEAD_CRC_AT, true);
  return checksum !== 0 && checksum === headChecksum(bytes) ? recordHeader(view) : undefined;
}

/** Header of the record that `bytes` is, or undefined when the checksum is wrong. */
export function checkRecord(bytes: Uint8Array): RecordHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return crc32(bytes.subarray(CRC_FROM)) === view.getUint32(4, true)
    ? recordHeader(view)
    : undefined;
}

function recordHeader(view: DataView): RecordHeader {
  const sequence = getUint53(view, 24);
  return {
    lengthBytes: view.getUint32(8, true),
    segmentId: view.getUint32(12, true),
    salt: view.getUint32(16, true),
    sequence,
    groupFirst: sequence - view.getUint32(20, true),
  };
}

/**
 * Decodes a record whose checksum was found right; the batch is where `bytes` are.
 * @throws {SpoorError} corrupt when its parts do not fit together: it was written wrong
 */
export function decodeRecord(bytes: Uint8Array): WalRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const batchAt = claimedHeadLength(view);
  const batchEnd = batchAt + view.getUint32(56, true);
  if (alignRecord(batchEnd) !== bytes.length) {
    throw new SpoorError(
      'corrupt',
      `write-ahead log: the parts of a record take ${batchEnd} of ${bytes.length} bytes`,
    );
  }
  return { ...decodeRecordHead(bytes), batch: bytes.subarray(batchAt, batchEnd) };
}

/**
 * Decodes what of a record is before its batch; what it returns shares no memory with `bytes`.
 * @throws {SpoorError} corrupt as {@link decodeRecord}
 */
export function decodeRecordHead(bytes: Uint8Array): WalRecordHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tenantBytes = view.getUint32(40, true);
  const requestCount = view.getUint32(44, true);
  const requestEnd = RECORD_HEADER_BYTES + tenantBytes + view.getUint32(48, true);
  const extensionEnd = requestEnd + view.getUint32(52, true);
  const need = (end: number, limit: number, what: string): void => {
    if (end > limit) {
      throw new SpoorError(
        'corrupt',
        `write-ahead log: ${what} of a record ends at ${end}, after ${limit}`,
      );
    }
  };

  need(extensionEnd, bytes.length, 'the head');
  let at = RECORD_HEADER_BYTES;
  const tenant = parseTenant(DECODER.decode(bytes.subarray(at, at + tenantBytes)));
  at += tenantBytes;
  const requests: RequestRecord[] = [];
  for (let i = 0; i < requestCount; i++) {
    need(at + REQUEST_BYTES, requestEnd, 'a request');
    const messageEnd = at + REQUEST_BYTES + view.getUint32(at + 24, true);
    need(messageEnd, requestEnd, 'the message of a request');
    requests.push({
      digest: new Uint8Array(bytes.subarray(at, at + 16)),
      accepted: view.getUint32(at + 16, true),
      rejected: view.getUint32(at + 20, true),
      message: DECODER.decode(bytes.subarray(at + REQUEST_BYTES, messageEnd)),
    });
    at = messageEnd;
  }
  at = requestEnd;
  const extensions: WalExtension[] = [];
  while (at < extensionEnd) {
    need(at + EXTENSION_BYTES, extensionEnd, 'an extension');
    const end = at + EXTENSION_BYTES + view.getUint32(at + 4, true);
    need(end, extensionEnd, 'the data of an extension');
    extensions.push({
      type: view.getUint32(at, true),
      bytes: new Uint8Array(bytes.subarray(at + EXTENSION_BYTES, end)),
    });
    at = end;
  }
  return {
    sequence: getUint53(view, 24),
    tenant,
    writtenUnixMs: getUint53(view, 32),
    requests,
    extensions,
  };
}

/** Writes a number below 2^53 as 64 bits. */
export function setUint53(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

/** Reads a 64-bit number; exact below 2^53. */
export function getUint53(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}
