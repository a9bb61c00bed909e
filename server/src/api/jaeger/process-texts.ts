// SPDX-License-Identifier: Apache-2.0
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { symbolBytes } from '@spoor/core/model/span-reader.ts';

/** Resources of which the text is kept: those of a thousand processes that live at a time. */
const MAX_KEPT = 1024;
/** Longer ones are made each time. */
const MAX_SYMBOL_BYTES = 4096;
/** And so are longer texts: empty attributes take two bytes each, and some forty characters. */
const MAX_TEXT_CHARACTERS = 8192;

/** JSON of resources as processes, which are the same in trace after trace. */
export class ProcessTexts {
  readonly #known = new Map<string, string>();

  /** @param make makes the text when it is not known; it must depend on nothing but the symbol and `form` */
  get(resources: SymbolTable, code: number, form: string, make: () => string): string {
    const { buffer, byteOffset, byteLength } = symbolBytes(resources, code);
    if (byteLength > MAX_SYMBOL_BYTES) return make();
    const key = form + Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
    let text = this.#known.get(key);
    if (text === undefined) {
      text = make();
      if (text.length > MAX_TEXT_CHARACTERS) return text;
      if (this.#known.size >= MAX_KEPT) this.#known.clear();
      this.#known.set(key, text);
    }
    return text;
  }
}
