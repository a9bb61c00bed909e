// SPDX-License-Identifier: Apache-2.0
import { crc32 } from 'node:zlib';
import { getUint32 } from '@spoor/core/model/uint32.ts';
import { BLOCK_FORMAT_VERSION, BLOCK_MAGIC } from './block-format.ts';
import { putUint32 } from './chunk-codec.ts';

/*
 * The end of a block, little endian; from format 2 on the same in every format to come.
 *
 *   at  size  what
 *    0     4  format
 *    4     4  bytes of the footer as stored
 *    8     4  bytes of the footer raw
 *   12     4  CRC-32 (zlib) of the 12 bytes before and the footer as stored
 *   16     8  "KLBROOPS"
 *
 * Format 1 has no format here and ends in "SPOORBLK", and its CRC-32 is that of the footer alone.
 */
export const TRAILER_BYTES = 24;
const OLD_TRAILER_BYTES = 20;
const END_MAGIC = BLOCK_MAGIC.toReversed();

/** The least that a block has. */
const LEAST_BLOCK_BYTES = BLOCK_MAGIC.length + OLD_TRAILER_BYTES;

/** What the end of a block says. */
export interface BlockTrailer {
  readonly format: number;
  /** Where the footer begins in the file. */
  readonly footerAt: number;
  readonly footerBytes: number;
  readonly footerRawBytes: number;
  /** Of the footer, which has the checksums of everything else. */
  readonly checksum: number;
  /** Whether these are the bytes of the footer; only then the rest of this is to be trusted. */
  readonly isOf: (footer: Uint8Array) => boolean;
}

/** The end of a block with this footer. */
export function encodeTrailer(footer: Uint8Array, footerRawBytes: number): Uint8Array {
  const trailer = new Uint8Array(TRAILER_BYTES);
  putUint32(trailer, 0, BLOCK_FORMAT_VERSION);
  putUint32(trailer, 4, footer.length);
  putUint32(trailer, 8, footerRawBytes);
  putUint32(trailer, 12, crc32(footer, crc32(trailer.subarray(0, 12))));
  trailer.set(END_MAGIC, 16);
  return trailer;
}

/**
 * Reads the end of a block.
 * @param tail the last {@link TRAILER_BYTES} of the file, or all of a shorter one
 * @returns undefined when a block cannot end so
 */
export function decodeTrailer(tail: Uint8Array, sizeBytes: number): BlockTrailer | undefined {
  if (sizeBytes < LEAST_BLOCK_BYTES) return undefined;
  const isOld = BLOCK_MAGIC.every((byte, i) => tail.at(i - 8) === byte);
  if (!isOld && !END_MAGIC.every((byte, i) => tail.at(i - 8) === byte)) return undefined;
  const trailer = isOld ? tail.subarray(tail.length - OLD_TRAILER_BYTES) : tail;
  const numbers = isOld ? trailer : trailer.subarray(4);
  const footerBytes = getUint32(numbers, 0);
  const footerAt = sizeBytes - trailer.length - footerBytes;
  if (footerAt < BLOCK_MAGIC.length) return undefined;
  const start = isOld ? 0 : crc32(trailer.subarray(0, 12));
  return {
    format: isOld ? 1 : getUint32(trailer, 0),
    footerAt,
    footerBytes,
    footerRawBytes: getUint32(numbers, 4),
    checksum: getUint32(numbers, 8),
    isOf: (footer) => crc32(footer, start) === getUint32(numbers, 8),
  };
}

/** What to say of a block whose format only a newer version knows. */
export function newerFormat(path: string, format: number): string {
  return `block ${path}: format ${format} is newer than ${BLOCK_FORMAT_VERSION}, which this version reads`;
}
