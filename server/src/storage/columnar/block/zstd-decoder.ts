// SPDX-License-Identifier: Apache-2.0
import { constants, createZstdDecompress, type ZstdDecompress } from 'node:zlib';

/** Node whose streams are known to have inside what is used here: it ends the process when it is called otherwise. */
const KNOWN_NODE = '26.';

/** What a stream of Node has inside, as of {@link KNOWN_NODE}. */
interface Inside {
  readonly _handle: {
    writeSync(
      flush: number,
      from: Uint8Array,
      fromOffset: number,
      fromLength: number,
      to: Uint8Array,
      toOffset: number,
      toLength: number,
    ): void;
  };
  /** What is left of `to` and of `from` after that. */
  readonly _writeState: Uint32Array;
  reset(): void;
}

/**
 * Decompresses zstd with one stream again and again. `zstdDecompressSync` makes one for each call, which costs some 20 to 40 µs: more
 * than to decompress 32 KiB. Node has no documented way to use a stream so. What is used here packages have used for a long time for
 * want of one (minizlib, for instance); where it is not there, {@link decode} does nothing.
 */
export class ZstdDecoder {
  readonly #isKnownNode: boolean;
  #stream: ZstdDecompress | undefined;

  constructor(nodeVersion: string = process.versions.node) {
    this.#isKnownNode = nodeVersion.startsWith(KNOWN_NODE);
  }

  /**
   * @param raw where to, all of it
   * @returns false when the bytes do not become just as many, or it cannot be tried: `zstdDecompressSync` says why
   */
  decode(bytes: Uint8Array, raw: Uint8Array): boolean {
    if (!this.#isKnownNode) return false;
    const stream = (this.#stream ??= openStream());
    if (!hasInside(stream)) return false;
    stream.reset();
    // There was no memory for a new context.
    if (stream.destroyed) {
      this.#stream = undefined;
      return false;
    }
    stream._handle.writeSync(constants.ZSTD_e_end, bytes, 0, bytes.length, raw, 0, raw.length);
    const [rawLeft, bytesLeft] = stream._writeState;
    if (!stream.destroyed && rawLeft === 0 && bytesLeft === 0) return true;
    stream.destroy();
    this.#stream = undefined;
    return false;
  }
}

function openStream(): ZstdDecompress {
  // Nobody reads it as a stream, so the buffer for that is as small as can be.
  const stream = createZstdDecompress({ chunkSize: constants.Z_MIN_CHUNK });
  // An error destroys it, which it tells later; who asked is told at once.
  stream.on('error', () => {});
  return stream;
}

function hasInside(stream: ZstdDecompress): stream is ZstdDecompress & Inside {
  // Each is looked at before it is used.
  const { _handle: handle, _writeState: state } = stream as Partial<Inside>;
  return typeof handle?.writeSync === 'function' && state instanceof Uint32Array;
}
