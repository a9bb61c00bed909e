// SPDX-License-Identifier: Apache-2.0
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { checkNotStopping } from '#workers/worker-thread.ts';
import { ZstdDecoder } from './zstd-decoder.ts';
import { ZstdEncoder } from './zstd-encoder.ts';

/** Level of frames: on columns of codes higher ones save less than 1 % of the size, for a tenth of the time of sealing. */
const FRAME_LEVEL = 1;

/** Smallest piece that Node takes. */
const MIN_PIECE_BYTES = 64;

/** Of this thread. */
const encoder = new ZstdEncoder(FRAME_LEVEL);
const decoder = new ZstdDecoder();

/**
 * Compresses at once. A thread that is ended from outside within such a call takes the process with it (Node 26, an assertion
 * in node_zlib.cc), so those of the store look here whether they are to end.
 * @throws {SpoorError} unavailable: the thread is to end
 */
export function compress(raw: Uint8Array, level: number): Uint8Array {
  checkNotStopping();
  return zstdCompressSync(raw, { params: { [constants.ZSTD_c_compressionLevel]: level } });
}

/**
 * Compresses a frame, of which there are many: with one stream for all of them in this thread.
 * @throws {SpoorError} unavailable, as {@link compress}
 */
export function compressFrame(raw: Uint8Array): Uint8Array {
  checkNotStopping();
  return encoder.encode(raw) ?? compress(raw, FRAME_LEVEL);
}

/**
 * Decompresses at once what becomes so many bytes, or fewer.
 * @param raw memory for them
 * @throws {SpoorError} unavailable, as {@link compress}
 * @throws {Error} by Node: it is not zstd, or becomes more bytes
 */
export function decompress(
  bytes: Uint8Array,
  rawBytes: number,
  raw = Buffer.allocUnsafeSlow(rawBytes),
): Buffer {
  checkNotStopping();
  if (decoder.decode(bytes, raw)) return raw;
  // In one piece: by default the output is put together from pieces of 16 KiB. A byte more, as Node makes room for a second piece when
  // the first is full.
  const chunkSize = Math.max(MIN_PIECE_BYTES, rawBytes + 1);
  return zstdDecompressSync(bytes, { maxOutputLength: rawBytes, chunkSize });
}
