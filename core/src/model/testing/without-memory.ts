// SPDX-License-Identifier: Apache-2.0

/** Runs `use` while no array of a kind can be made: there is no memory for it. */
export function withoutMemoryFor(kind: 'Uint8Array' | 'Uint32Array', use: () => void): void {
  const global = globalThis as Record<typeof kind, unknown>;
  const allocate = global[kind];
  global[kind] = class {
    constructor() {
      throw new RangeError('Array buffer allocation failed');
    }
  };
  try {
    use();
  } finally {
    global[kind] = allocate;
  }
}
