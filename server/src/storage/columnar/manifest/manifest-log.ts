// SPDX-License-Identifier: Apache-2.0
import { crc32 } from 'node:zlib';
import { SpoorError } from '@spoor/core/model/errors.ts';

/*
 * The file MANIFEST, format 1, little endian. The header is the same in every format to come.
 *
 *   at  size  what
 *    0     8  "SPOORMAN"
 *    8     4  format: 1
 *   12     4  CRC-32 (zlib) of the 12 bytes before
 *
 * Then records, each at a multiple of 8:
 *
 *    0     4  "SPM" and 1
 *    4     4  CRC-32 (zlib) of all that follows, padding included
 *    8     4  bytes of the payload
 *   12     4  number of the record in this file: 0, 1, 2 …
 *   16        payload: changes as JSON in UTF-8, see manifest-edit.ts
 *             0 to 7 zeros up to a multiple of 8
 *
 * A record is written only after all before it are durable, so only the last one can be torn.
 */
/** What a manifest begins with. */
export const MANIFEST_MAGIC: Uint8Array = new TextEncoder().encode('SPOORMAN');
/** Format of the manifest that this version writes, and the newest that it reads. */
const MANIFEST_FORMAT = 1;
/** Bytes of the header of the file. */
const MANIFEST_HEADER_BYTES = 16;

const RECORD_MAGIC = 0x014d5053;
const RECORD_HEADER_BYTES = 16;
const ALIGNMENT = 8;
const DECODER = new TextDecoder('utf-8', { fatal: true });

/** What reading a manifest's bytes gave. */
export interface ManifestLog {
  /** Payloads of the records, in order. */
  readonly payloads: readonly string[];
  /** End of the last good record. */
  readonly endBytes: number;
  /** Number of the next record. */
  readonly nextRecord: number;
  /** What once was readable and is not any more; a sentence each. */
  readonly damage: readonly string[];
}

/** The header of the file. */
export function encodeManifestHeader(): Uint8Array {
  const bytes = new Uint8Array(MANIFEST_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MANIFEST_MAGIC);
  view.setUint32(8, MANIFEST_FORMAT, true);
  view.setUint32(12, crc32(bytes.subarray(0, 12)), true);
  return bytes;
}

/** A record with this payload. */
export function encodeManifestRecord(payload: string, number: number): Uint8Array {
  const content = new TextEncoder().encode(payload);
  const end = RECORD_HEADER_BYTES + content.length;
  const bytes = new Uint8Array(Math.ceil(end / ALIGNMENT) * ALIGNMENT);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, RECORD_MAGIC, true);
  view.setUint32(8, content.length, true);
  view.setUint32(12, number, true);
  bytes.set(content, RECORD_HEADER_BYTES);
  view.setUint32(4, crc32(bytes.subarray(8)), true);
  return bytes;
}

/**
 * Reads all records of a manifest. A torn last record is left out; of a damaged one the log goes on behind it.
 * @param path for messages
 * @throws {SpoorError} corrupt for a newer format
 */
export function decodeManifest(bytes: Uint8Array, path: string): ManifestLog {
  const damage: string[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole =
    bytes.length >= MANIFEST_HEADER_BYTES &&
    MANIFEST_MAGIC.every((byte, i) => bytes[i] === byte) &&
    view.getUint32(12, true) === crc32(bytes.subarray(0, 12));
  if (!whole) {
    damage.push(`manifest ${path}: its header is damaged (${bytes.length} bytes in all)`);
  } else if (view.getUint32(8, true) > MANIFEST_FORMAT) {
    throw new SpoorError(
      'corrupt',
      `manifest ${path}: format ${view.getUint32(8, true)} is newer than this version reads (${MANIFEST_FORMAT})`,
    );
  }

  const payloads: string[] = [];
  let nextRecord = 0;
  let endBytes = MANIFEST_HEADER_BYTES;
  for (let at = MANIFEST_HEADER_BYTES; at + RECORD_HEADER_BYTES <= bytes.length;) {
    const end = recordEnd(bytes, view, at);
    if (end === undefined) {
      at += ALIGNMENT;
      continue;
    }
    const number = view.getUint32(at + 12, true);
    if (number !== nextRecord) {
      damage.push(
        `manifest ${path}: damaged at byte ${endBytes}: record ${number} follows where ${nextRecord} should`,
      );
    }
    const start = at + RECORD_HEADER_BYTES;
    payloads.push(DECODER.decode(bytes.subarray(start, start + view.getUint32(at + 8, true))));
    nextRecord = number + 1;
    endBytes = end;
    at = end;
  }
  // It is put in place with its first records.
  if (whole && payloads.length === 0) {
    damage.push(`manifest ${path}: it has no record (${bytes.length} bytes in all)`);
  }
  return { payloads, endBytes, nextRecord, damage };
}

/** End of the record at `at`, or undefined when there is none whose checksum is right. */
function recordEnd(bytes: Uint8Array, view: DataView, at: number): number | undefined {
  if (view.getUint32(at, true) !== RECORD_MAGIC) return undefined;
  const length = RECORD_HEADER_BYTES + view.getUint32(at + 8, true);
  const end = at + Math.ceil(length / ALIGNMENT) * ALIGNMENT;
  if (end > bytes.length) return undefined;
  return crc32(bytes.subarray(at + 8, end)) === view.getUint32(at + 4, true) ? end : undefined;
}
