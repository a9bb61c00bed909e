// SPDX-License-Identifier: Apache-2.0
import type { TagText } from './tag-text.ts';

/** Longer lists are not worth remembering: a hostile one would be kept for ever. */
const MAX_BYTES = 1 << 16;

/** Remembers a list of texts, to know the next list as the same: spans of one sender have one resource and few scopes. */
export class TextMemo {
  #count = -1;
  #ends = new Uint32Array(32);
  #bytes = new Uint8Array(512);

  /** Whether these are the texts that were stored last. */
  matches(texts: readonly TagText[], count: number): boolean {
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

  /** Stores the first `count` texts. */
  store(texts: readonly TagText[], count: number): void {
    let length = 0;
    for (let i = 0; i < count; i++) length += texts[i]!.end - texts[i]!.start;
    this.#count = -1;
    if (length > MAX_BYTES) return;
    if (length > this.#bytes.length) this.#bytes = new Uint8Array(length * 2);
    if (count > this.#ends.length) this.#ends = new Uint32Array(count * 2);
    this.#count = count;
    let at = 0;
    for (let i = 0; i < count; i++) {
      const { bytes, start, end } = texts[i]!;
      this.#bytes.set(bytes.subarray(start, end), at);
      this.#ends[i] = at += end - start;
    }
  }
}
