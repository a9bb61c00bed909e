// SPDX-License-Identifier: Apache-2.0
import { constants, createZstdCompress } from 'node:zlib';
import { ZstdStream } from './zstd-stream.ts';

/**
 * As much as a block of zstd holds. Hardly any frame has more, for which a stream of its own does not count; and of more the bytes would
 * depend on the room for them, as zstd cuts blocks by what it sees at once.
 */
export const MAX_ENCODED_BYTES = 128 << 10;

/** `ZSTD_COMPRESSBOUND` of zstd.h: with so much room zstd writes its output at once, and is never left with a part of it. */
const SCRATCH_BYTES = MAX_ENCODED_BYTES + (MAX_ENCODED_BYTES >> 8);

/**
 * Compresses zstd with one stream again and again, to the same bytes as `zstdCompressSync`, or to nine less of some that hardly become
 * smaller. That makes a stream for each call, which costs some 15 to 30 µs: half of what it takes to compress 8 KiB, and a third for 32 KiB.
 */
export class ZstdEncoder {
  readonly #stream: ZstdStream;
  #scratch: Uint8Array | undefined;

  constructor(level: number, nodeVersion: string = process.versions.node) {
    const params = { [constants.ZSTD_c_compressionLevel]: level };
    // Not reset, as Node makes a new context for that: one that has ended a frame begins the next as it began the first.
    this.#stream = new ZstdStream(
      (options) => createZstdCompress({ ...options, params }),
      false,
      nodeVersion,
    );
  }

  /**
   * @returns memory of their own for the bytes; undefined of more than {@link MAX_ENCODED_BYTES}, or when it failed or cannot be tried:
   * `zstdCompressSync` says why
   */
  encode(raw: Uint8Array): Uint8Array | undefined {
    if (raw.length > MAX_ENCODED_BYTES) return undefined;
    const scratch = (this.#scratch ??= new Uint8Array(SCRATCH_BYTES));
    const length = this.#stream.pass(raw, scratch);
    if (length !== undefined && length < scratch.length) return scratch.slice(0, length);
    // Half of a frame may be left in it.
    this.#stream.drop();
    return undefined;
  }
}
