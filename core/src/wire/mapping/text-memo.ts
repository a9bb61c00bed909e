// SPDX-License-Identifier: Apache-2.0
import type { TagText } from './tag-text.ts';

/** Longer lists are not worth remembering: a hostile one would be kept for ever. */
const MAX_BYTES = 1 << 16;

/**
 * Has lists of texts written somewhere, and not again what was written last: spans of one sender have one resource and few scopes.
 * What is remembered is always what is written there, since nothing is from the first text on until the last one.
 */
export class TextMemo {
  readonly #write: (texts: readonly TagText[], count: number) => void;
  #count = -1;
  #ends = new Uint32Array(32);
  #bytes = new Uint8Array(512);

  /** @param write takes the first `count` texts in place of those that it took before; what it writes follows from them alone */
  constructor(write: (texts: readonly TagText[], count: number) => void) {
    this.#write = write;
  }

  /** Has the first `count` texts written, unless they were last. What `write` throws is passed on, and nothing is remembered then. */
  write(texts: readonly TagText[], count: number): void {
    if (this.#matches(texts, count)) return;
    this.#count = -1;
    this.#write(texts, count);
    this.#remember(texts, count);
  }

  #matches(texts: readonly TagText[], count: number): boolean {
    if (count !== this.#count) return false;
    const known = this.#bytes;
    let at = 0;
    for (let i = 0; i < count; i++) {
      const { bytes, start, end } = texts[i]!;
      if (at + end - start !== this.#ends[i]) return false;
      for (let from = start; from < end; from++) if (known[at++] !== bytes[from]) return false;
    }
    return true;
  }

  #remember(texts: readonly TagText[], count: number): void {
    let length = 0;
    for (let i = 0; i < count; i++) length += texts[i]!.end - texts[i]!.start;
    if (length > MAX_BYTES) return;
    if (length > this.#bytes.length) this.#bytes = new Uint8Array(length * 2);
    if (count > this.#ends.length) this.#ends = new Uint32Array(count * 2);
    let at = 0;
    for (let i = 0; i < count; i++) {
      const { bytes, start, end } = texts[i]!;
      this.#bytes.set(bytes.subarray(start, end), at);
      this.#ends[i] = at += end - start;
    }
    this.#count = count;
  }
}
