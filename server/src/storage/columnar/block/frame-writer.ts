// SPDX-License-Identifier: Apache-2.0
import { crc32 } from 'node:zlib';
import { WordList } from '@spoor/core/model/word-list.ts';
import type { ChunkRef } from './block-format.ts';
import { ByteSink } from './chunk-codec.ts';
import { compressFrame } from './zstd.ts';

/** A chunk of at least this size is a frame of its own: it can then be read alone. */
const OWN_FRAME_BYTES = 8 << 10;

/** Smaller chunks share a frame up to about this size: they compress better together, and each frame takes room in the footer. */
const PACK_BYTES = 16 << 10;

/** A hostile sender makes up attributes by the thousand: beyond so many, what takes how much is of no use to anybody. */
const MAX_NAMED = 128;

/** Puts chunks into compressed frames, in order. */
export class FrameWriter {
  /** Frames that nobody took, in file order. */
  #parts: Uint8Array[] = [];
  /** Four numbers a frame, as the footer has them. */
  readonly frames: number[] = [];
  /** Bytes stored by what they hold, and raw bytes of it in the pack; what holds some there. */
  readonly #places = new Map<string, number>();
  readonly #stored: number[] = [];
  readonly #packed: number[] = [];
  readonly #inPack = new WordList();
  #offset: number;
  readonly #pack = new ByteSink(PACK_BYTES + OWN_FRAME_BYTES * 2);
  /** Where the chunk under way begins in it. */
  #start = 0;
  #packFrame = -1;
  /** Where the chunk that was ended last lies in its frame. */
  #at = 0;

  constructor(offset: number) {
    this.#offset = offset;
  }

  /** Bytes written so far, from the start of the file. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes stored by what they hold; what is not among the {@link MAX_NAMED} that take most is one sum. */
  get bytesBy(): Readonly<Record<string, number>> {
    const names = [...this.#places.keys()];
    const stored = this.#stored;
    const order = [...names.keys()].sort((a, b) => stored[b]! - stored[a]!);
    const rest = order.slice(MAX_NAMED).reduce((sum, place) => sum + stored[place]!, 0);
    const most = order.slice(0, MAX_NAMED);
    const named = Object.fromEntries(most.map((place) => [names[place]!, stored[place]!]));
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
    const length = this.#pack.length - this.#start;
    return [this.#end(what, length), this.#at, length];
  }

  /** As {@link end}; appends the three numbers to a list. */
  endTo(list: WordList, what: string): void {
    const length = this.#pack.length - this.#start;
    list.push(this.#end(what, length));
    list.push(this.#at);
    list.push(length);
  }

  /** Ends a chunk of this length; returns its frame and sets `#at` to its place there. */
  #end(what: string, length: number): number {
    const pack = this.#pack;
    const start = this.#start;
    const place = this.#placeOf(what);
    if (length >= OWN_FRAME_BYTES) {
      const own = this.#reserveFrame();
      this.#stored[place]! += this.#put(own, pack.bytes.subarray(start, pack.length), true);
      pack.length = start;
      this.#at = 0;
      return own;
    }
    if (this.#packFrame < 0) this.#packFrame = this.#reserveFrame();
    if (this.#packed[place] === 0) this.#inPack.push(place);
    this.#packed[place]! += length;
    this.#at = start;
    const frame = this.#packFrame;
    if (pack.length >= PACK_BYTES) this.flush();
    return frame;
  }

  /** Adds random bytes: a frame of their own that no compression is tried on. */
  rawChunk(what: string, bytes: Uint8Array): ChunkRef {
    const frame = this.#reserveFrame();
    this.#stored[this.#placeOf(what)]! += this.#put(frame, bytes, false);
    return [frame, 0, bytes.length];
  }

  /** Closes the frame under way. */
  flush(): void {
    if (this.#packFrame < 0) return;
    const raw = this.#pack.length;
    const stored = this.#put(this.#packFrame, this.#pack.bytes.subarray(0, raw), true);
    const { words, count } = this.#inPack;
    for (let i = 0; i < count; i++) {
      const place = words[i]!;
      this.#stored[place]! += (stored * this.#packed[place]!) / raw;
      this.#packed[place] = 0;
    }
    this.#inPack.count = 0;
    this.#packFrame = -1;
    this.#pack.length = 0;
  }

  #reserveFrame(): number {
    this.frames.push(0, 0, 0, 0);
    return this.frames.length / 4 - 1;
  }

  #put(frame: number, raw: Uint8Array, isCompressed: boolean): number {
    const stored = isCompressed ? compressFrame(raw) : raw.slice();
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

  #placeOf(what: string): number {
    let place = this.#places.get(what);
    if (place === undefined) {
      place = this.#stored.push(0) - 1;
      this.#packed.push(0);
      this.#places.set(what, place);
    }
    return place;
  }
}
