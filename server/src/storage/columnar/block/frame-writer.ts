// SPDX-License-Identifier: Apache-2.0
import { crc32 } from 'node:zlib';
import { type ChunkRef, OWN_FRAME_BYTES } from './block-format.ts';
import { ByteSink } from './chunk-codec.ts';
import { compress } from './zstd.ts';

/** Smaller chunks share a frame up to about this size, since each call of zstd costs 16 to 28 µs. */
const PACK_BYTES = 32 << 10;

/** On columns of codes higher levels save less than 1 % of the size, for a tenth of the time of sealing. */
const ZSTD_LEVEL = 1;

/** A hostile sender makes up attributes by the thousand: beyond so many, what takes how much is of no use to anybody. */
const MAX_NAMED = 128;

/** Puts chunks into compressed frames, in order. */
export class FrameWriter {
  /** Frames that nobody took, in file order. */
  #parts: Uint8Array[] = [];
  /** Four numbers a frame, as the footer has them. */
  readonly frames: number[] = [];
  readonly #bytesBy = new Map<string, number>();
  #offset: number;
  readonly #pack = new ByteSink(PACK_BYTES + OWN_FRAME_BYTES * 2);
  /** Where the chunk under way begins in it. */
  #start = 0;
  /** Raw bytes in the pack by what they hold. */
  readonly #packShares = new Map<string, number>();
  #packFrame = -1;

  constructor(offset: number) {
    this.#offset = offset;
  }

  /** Bytes written so far, from the start of the file. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes stored by what they hold; what is not among the {@link MAX_NAMED} that take most is one sum. */
  get bytesBy(): Readonly<Record<string, number>> {
    const entries = [...this.#bytesBy].sort(([, a], [, b]) => b - a);
    const rest = entries.slice(MAX_NAMED).reduce((sum, [, bytes]) => sum + bytes, 0);
    const named = Object.fromEntries(entries.slice(0, MAX_NAMED));
    return rest === 0 ? named : { ...named, 'all others': rest };
  }

  /** Hands the frames over that are complete, in file order; each once. */
  takeParts(): Uint8Array[] {
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }

  /** Adds a chunk that `write` appends to the sink. `what` names it in the breakdown. */
  chunk(what: string, write: (sink: ByteSink) => void): ChunkRef {
    write(this.begin());
    return this.end(what);
  }

  /** Begins a chunk: what is appended to the sink up to {@link end} is in it. */
  begin(): ByteSink {
    this.#start = this.#pack.length;
    return this.#pack;
  }

  /** Ends the chunk under way; see {@link chunk}. */
  end(what: string): ChunkRef {
    const pack = this.#pack;
    const start = this.#start;
    const length = pack.length - start;
    if (length >= OWN_FRAME_BYTES) {
      const frame = this.#reserveFrame();
      const stored = this.#put(frame, pack.bytes.subarray(start, pack.length), true);
      this.#count(what, stored);
      pack.length = start;
      return [frame, 0, length];
    }
    if (this.#packFrame < 0) this.#packFrame = this.#reserveFrame();
    this.#packShares.set(what, (this.#packShares.get(what) ?? 0) + length);
    const ref: ChunkRef = [this.#packFrame, start, length];
    if (pack.length >= PACK_BYTES) this.flush();
    return ref;
  }

  /** Adds random bytes: a frame of their own that no compression is tried on. */
  rawChunk(what: string, bytes: Uint8Array): ChunkRef {
    const frame = this.#reserveFrame();
    this.#count(what, this.#put(frame, bytes, false));
    return [frame, 0, bytes.length];
  }

  /** Closes the frame under way. */
  flush(): void {
    if (this.#packFrame < 0) return;
    const raw = this.#pack.length;
    const stored = this.#put(this.#packFrame, this.#pack.bytes.subarray(0, raw), true);
    for (const [what, share] of this.#packShares) this.#count(what, (stored * share) / raw);
    this.#packShares.clear();
    this.#packFrame = -1;
    this.#pack.length = 0;
  }

  #reserveFrame(): number {
    this.frames.push(0, 0, 0, 0);
    return this.frames.length / 4 - 1;
  }

  #put(frame: number, raw: Uint8Array, isCompressed: boolean): number {
    const stored = isCompressed ? compress(raw, ZSTD_LEVEL) : raw.slice();
    this.frames.splice(
      frame * 4,
      4,
      this.#offset,
      stored.length,
      isCompressed ? raw.length : 0,
      crc32(stored),
    );
    this.#parts.push(stored);
    this.#offset += stored.length;
    return stored.length;
  }

  #count(what: string, bytes: number): void {
    this.#bytesBy.set(what, (this.#bytesBy.get(what) ?? 0) + bytes);
  }
}
