// SPDX-License-Identifier: Apache-2.0

/** Numbers for texts; the empty text is 0. */
export class NameCodes {
  /** Texts by their number. */
  readonly texts: string[] = [''];
  readonly #codes = new Map<string, number>([['', 0]]);

  /** Number of a text, which may be new. */
  code(text: string): number {
    let code = this.#codes.get(text);
    if (code === undefined) {
      code = this.texts.push(text) - 1;
      this.#codes.set(text, code);
    }
    return code;
  }
}
