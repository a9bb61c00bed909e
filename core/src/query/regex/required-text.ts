// SPDX-License-Identifier: Apache-2.0
import { encodeText } from '#model/utf8.ts';
import type { RegexNode } from './regex-syntax.ts';

/**
 * To look for more tells few texts more apart, and takes time that grows with its length where it repeats itself: a search for a
 * thousand `a` in a MiB of them took seconds.
 */
const MAX_BYTES = 32;

/**
 * UTF-8 that stands in every text that matches, the beginning of the longest that is found; undefined where there may be none. Texts
 * without it need not be matched. Only what is certain counts: what is in a choice, in a class of several characters or may be left out
 * gives nothing.
 */
export function requiredText(root: RegexNode): Uint8Array | undefined {
  const stretches = new Stretches();
  stretches.add(root);
  return stretches.finish();
}

/** Characters of a pattern that stand one after the other in every match. */
class Stretches {
  #current = '';
  #longest: Uint8Array = new Uint8Array(0);

  finish(): Uint8Array | undefined {
    this.#end();
    return this.#longest.length === 0 ? undefined : this.#longest.subarray(0, MAX_BYTES);
  }

  add(node: RegexNode): void {
    switch (node.kind) {
      case 'class': {
        const code = onlyOf(node.set);
        if (code === undefined) this.#end();
        else this.#current += String.fromCodePoint(code);
        return;
      }
      case 'sequence':
        for (const item of node.items) this.add(item);
        return;
      case 'repeat':
        // The first time it stands behind what is before it.
        if (node.min > 0) this.add(node.item);
        if (node.min !== 1 || node.max !== 1) this.#end();
        return;
      case 'choice':
        this.#end();
        return;
      case 'assertion':
      // Nothing stands between what is before and behind it.
    }
  }

  #end(): void {
    const text = encodeText(this.#current);
    if (text.length > this.#longest.length) this.#longest = text;
    this.#current = '';
  }
}

/** The only character of a set; undefined where it has several, or half a surrogate pair, which is in no UTF-8. */
function onlyOf(set: readonly number[]): number | undefined {
  const [from, to] = set;
  if (set.length !== 2 || from === undefined || from !== to) return undefined;
  return from >= 0xd800 && from < 0xe000 ? undefined : from;
}
