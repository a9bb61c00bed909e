// SPDX-License-Identifier: Apache-2.0

/** An array that counts how often something of it is read: the steps of who looks something up in it. */
export interface CountedReads<Values> {
  readonly values: Values;
  reads: number;
}

/** Counts what is read of an array. */
export function countedReads<Values extends object>(values: Values): CountedReads<Values> {
  const counted: CountedReads<Values> = {
    reads: 0,
    values: new Proxy(values, {
      get: (target, key) => {
        counted.reads++;
        return Reflect.get(target, key, target);
      },
    }),
  };
  return counted;
}
