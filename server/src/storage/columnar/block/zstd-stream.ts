// SPDX-License-Identifier: Apache-2.0
import { constants, type ZstdCompress, type ZstdDecompress } from 'node:zlib';

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

type Stream = ZstdCompress | ZstdDecompress;

/**
 * A stream of zstd that is used again and again, at once. Node has no documented way to do so, and its functions that work at once make
 * a stream for each call. What is used here packages have used for a long time for want of one (minizlib, for instance); where it is
 * not there, {@link pass} does nothing.
 */
export class ZstdStream {
  readonly #open: (options: { chunkSize: number }) => Stream;
  readonly #isReset: boolean;
  /** Whether it has inside what is used, as far as is known. */
  #isUsable: boolean;
  #stream: Stream | undefined;

  /** @param isReset whether it forgets before each use what came before */
  constructor(
    open: (options: { chunkSize: number }) => Stream,
    isReset: boolean,
    nodeVersion: string,
  ) {
    this.#open = open;
    this.#isReset = isReset;
    this.#isUsable = nodeVersion.startsWith(KNOWN_NODE);
  }

  /**
   * Passes through what is all of the input.
   * @returns bytes written to `to`; undefined when not all of `from` was taken, it failed or cannot be tried. Then, and when so many
   * bytes are not what they should be, {@link drop} is to be called.
   */
  pass(from: Uint8Array, to: Uint8Array): number | undefined {
    if (!this.#isUsable) return undefined;
    const stream = (this.#stream ??= openStream(this.#open));
    if (!hasInside(stream)) {
      this.#isUsable = false;
      return undefined;
    }
    if (this.#isReset) stream.reset();
    // There was no memory for a new context.
    if (stream.destroyed) return undefined;
    stream._handle.writeSync(constants.ZSTD_e_end, from, 0, from.length, to, 0, to.length);
    const [toLeft, fromLeft] = stream._writeState;
    return stream.destroyed || fromLeft !== 0 ? undefined : to.length - toLeft!;
  }

  /** Forgets all that went wrong: what is passed next goes through another stream. */
  drop(): void {
    this.#stream?.destroy();
    this.#stream = undefined;
  }
}

function openStream(open: (options: { chunkSize: number }) => Stream): Stream {
  // Nobody reads it as a stream, so the buffer for that is as small as can be.
  const stream = open({ chunkSize: constants.Z_MIN_CHUNK });
  // An error destroys it, which it tells later; who asked is told at once.
  stream.on('error', () => {});
  return stream;
}

function hasInside(stream: Stream): stream is Stream & Inside {
  // Each is looked at before it is used.
  const { _handle: handle, _writeState: state } = stream as Partial<Inside>;
  return typeof handle?.writeSync === 'function' && state instanceof Uint32Array;
}
