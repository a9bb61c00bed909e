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
  let longest: Uint8Array = new Uint8Array(0);
  for (const text of stretchesOf(root, onlyOf)) if (text.length > longest.length) longest = text;
  return longest.length === 0 ? undefined : longest.subarray(0, MAX_BYTES);
}

/** As {@link requiredText}, all that is found; letters of ASCII stand for the small and the capital one. */
export function requiredParts(root: RegexNode): readonly Uint8Array[] {
  return stretchesOf(root, onlyLetterOf);
}

function stretchesOf(root: RegexNode, only: Only): Uint8Array[] {
  const stretches = new Stretches(only);
  stretches.add(root);
  return stretches.finish();
}

/** The character that a set stands for; undefined where it may be another one. */
type Only = (set: readonly number[]) => number | undefined;

/** Characters of a pattern that stand one after the other in every match. */
class Stretches {
  readonly #only: Only;
  #current = '';
  readonly #ended: Uint8Array[] = [];

  constructor(only: Only) {
    this.#only = only;
  }

  finish(): Uint8Array[] {
    this.#end();
    return this.#ended;
  }

  add(node: RegexNode): void {
    switch (node.kind) {
      case 'class': {
        const code = this.#only(node.set);
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
    if (this.#current !== '') this.#ended.push(encodeText(this.#current));
    this.#current = '';
  }
}

/** The only character of a set; undefined where it has several, or half a surrogate pair, which is in no UTF-8. */
function onlyOf(set: readonly number[]): number | undefined {
  const [from, to] = set;
  if (set.length !== 2 || from === undefined || from !== to) return undefined;
  return from >= 0xd800 && from < 0xe000 ? undefined : from;
}

/** As {@link onlyOf}; of a letter of ASCII in both of its cases the first one. */
function onlyLetterOf(set: readonly number[]): number | undefined {
  const [from, to, other, otherTo] = set;
  const isLetter = from !== undefined && /[A-Za-z]/.test(String.fromCodePoint(from));
  const isBoth = set.length === 4 && other === otherTo && isLetter && other === (from ^ 0x20);
  return isBoth && from === to ? from : onlyOf(set);
}
