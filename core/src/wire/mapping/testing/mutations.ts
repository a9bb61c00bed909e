// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';

/** Bytes with a few of them changed, taken out or put in. */
export function mutated(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.record({
    at: fc.nat(Math.max(0, bytes.length - 1)),
    remove: fc.nat(2),
    insert: fc.uint8Array({ maxLength: 3 }),
  });
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    let result = Array.from(bytes);
    for (const { at, remove, insert } of changes) {
      result = [...result.slice(0, at), ...insert, ...result.slice(at + remove)];
    }
    return Uint8Array.from(result);
  });
}
