// SPDX-License-Identifier: Apache-2.0

/** Words that count how often one of them is read: the steps of who looks something up among them. */
export interface CountedWords {
  readonly words: Uint32Array<ArrayBuffer>;
  reads: number;
}

/** Counts what is read of `words`. */
export function countedWords(words: Uint32Array<ArrayBuffer>): CountedWords {
  const counted: CountedWords = {
    reads: 0,
    words: new Proxy(words, {
      get: (target, key) => {
        counted.reads++;
        return Reflect.get(target, key, target);
      },
    }),
  };
  return counted;
}
