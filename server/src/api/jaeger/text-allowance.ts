// SPDX-License-Identifier: Apache-2.0

/** Longer texts are made each time: they hold more than they save. */
const MAX_KEPT_CHARACTERS = 256;
/** What is kept for an answer may take so much together: some 17,000 short texts. */
const MAX_KEPT_BYTES = 2 << 20;
/** What a kept text takes at most beside its characters, and for each of these. */
const TEXT_BYTES = 64;
const CHARACTER_BYTES = 2;

/** Bounds what is kept of the texts of an answer, which takes as long as its client reads. */
export class TextAllowance {
  #bytes = 0;

  /** Whether a text of so many characters may be kept; it is counted then. */
  takes(characters: number): boolean {
    if (characters > MAX_KEPT_CHARACTERS) return false;
    const bytes = this.#bytes + TEXT_BYTES + characters * CHARACTER_BYTES;
    if (bytes > MAX_KEPT_BYTES) return false;
    this.#bytes = bytes;
    return true;
  }

  /** The text, which is put at its place in a list if it may be kept. */
  keep(texts: (string | undefined)[], at: number, text: string): string {
    if (this.takes(text.length)) texts[at] = text;
    return text;
  }
}
