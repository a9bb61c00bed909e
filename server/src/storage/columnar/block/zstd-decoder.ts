// SPDX-License-Identifier: Apache-2.0
import { createZstdDecompress } from 'node:zlib';
import { ZstdStream } from './zstd-stream.ts';

/**
 * Decompresses zstd with one stream again and again. `zstdDecompressSync` makes one for each call, which costs some 20 to 40 µs: more
 * than to decompress 32 KiB.
 */
export class ZstdDecoder {
  readonly #stream: ZstdStream;

  constructor(nodeVersion: string = process.versions.node) {
    this.#stream = new ZstdStream(createZstdDecompress, true, nodeVersion);
  }

  /**
   * @param raw where to, all of it
   * @returns false when the bytes do not become just as many, or it cannot be tried: `zstdDecompressSync` says why
   */
  decode(bytes: Uint8Array, raw: Uint8Array): boolean {
    if (this.#stream.pass(bytes, raw) === raw.length) return true;
    this.#stream.drop();
    return false;
  }
}
