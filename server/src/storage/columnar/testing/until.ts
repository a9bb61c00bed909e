// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';

/** Turns of the event loop, minutes of them: only what never comes takes so many. */
const MAX_TURNS = 10_000_000;

/** Waits, turn by turn of the event loop, until something is so. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < MAX_TURNS && !condition(); turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(condition());
}
