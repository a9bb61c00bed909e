// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';
import fc from 'fast-check';
import { parseTenant } from '@spoor/core/model/ids.ts';
import type { StoreHarness } from './testing/store-harness.ts';
import { arbitraryHistory, liveThrough } from './testing/store-history.ts';

/** `npm run torture -- --only answers` tries longer ones, for an hour. */
const MAX_STEPS = 8;

/** Registers the test that matters most; part of `testTraceStore`. */
export function testHistories(
  name: string,
  withStore: (body: (harness: StoreHarness) => Promise<void>) => Promise<void>,
  runs: number,
): void {
  test(`${name}: answers to any questions after any history are those of the oracle`, () =>
    withStore(async (harness) => {
      let run = 0;
      await fc.assert(
        // Tenants see nothing of each other, so one store serves all runs.
        fc.asyncProperty(arbitraryHistory(MAX_STEPS), (history) =>
          liveThrough(history, harness, parseTenant(`run-${run++}`)),
        ),
        { numRuns: runs },
      );
    }));
}
