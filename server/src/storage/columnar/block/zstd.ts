// SPDX-License-Identifier: Apache-2.0
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { checkNotStopping } from '#workers/worker-thread.ts';
import { ZstdDecoder } from './zstd-decoder.ts';

/** Smallest piece that Node takes. */
const MIN_PIECE_BYTES = 64;

/** Of this thread. */
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
