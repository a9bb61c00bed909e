// SPDX-License-Identifier: Apache-2.0

/** What the frames of a trace of some twenty spans take, as they are stored and decompressed, is about half of it. */
const SLAB_BYTES = 512 << 10;

/**
 * Frames that are needed for a short time, such as those around one trace of a large store: in memory that is used again and again,
 * for it costs more to get and give back 30 kB than to fill them. Whoever clears it says that nobody looks at them any more.
 */
export class FrameScratch {
  readonly #frames = new Map<string, Uint8Array>();
  #slab: Buffer<ArrayBuffer> | undefined;
  #taken = 0;

  /** A frame that was put here since it was cleared. */
  get(key: string): Uint8Array | undefined {
    return this.#frames.get(key);
  }

  /** Keeps a frame until it is cleared. */
  set(key: string, frame: Uint8Array): void {
    this.#frames.set(key, frame);
  }

  /** So many bytes, with anything in them; own ones where there is no room. */
  take(bytes: number): Buffer<ArrayBuffer> {
    this.#slab ??= Buffer.allocUnsafeSlow(SLAB_BYTES);
    const start = this.#taken;
    if (start + bytes > SLAB_BYTES) return Buffer.allocUnsafeSlow(bytes);
    this.#taken += bytes;
    return this.#slab.subarray(start, this.#taken);
  }

  /** Forgets all frames; their memory becomes that of others. */
  clear(): void {
    this.#frames.clear();
    this.#taken = 0;
  }
}
