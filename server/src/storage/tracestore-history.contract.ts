// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';
import fc from 'fast-check';
import { parseTenant } from '@spoor/core/model/ids.ts';
import { attributes, span } from '@spoor/core/query/testing/example-span.ts';
import { queryFor, type StoreHarness } from './testing/store-harness.ts';
import { arbitraryHistory, liveThrough, type StoreHistory } from './testing/store-history.ts';

/** `npm run torture -- --only answers` tries longer ones, for an hour. */
const MAX_STEPS = 8;

/** The last span with a value goes, and the value stays in the dictionary of a block that was written while a copy came. */
const VALUE_WITHOUT_SPANS: StoreHistory = {
  steps: [
    {
      do: 'write',
      spans: [span({ name: 'GET', attributes: attributes({ code: '5' }) }), span({ name: 'a' })],
    },
    { do: 'resend', picks: [0], during: 'merge' },
    { do: 'write', spans: [span({ name: 'a', attributes: attributes({ 'db.system': 5n }) })] },
    {
      do: 'delete',
      where: {
        op: 'eq',
        field: { kind: 'intrinsic', name: 'name' },
        value: { type: 'string', value: 'GET' },
      },
    },
  ],
  queries: [queryFor()],
};

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
        { numRuns: runs, examples: [[VALUE_WITHOUT_SPANS]] },
      );
    }));
}
