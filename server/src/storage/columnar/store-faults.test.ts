// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';
import { FaultHistory } from './testing/fault-history.ts';
import { FAULTS } from './testing/faulty-files.ts';

/** So many calls are left out after each that fails here; `npm run torture` lets each of them fail. */
const STRIDE = 97;

test('whatever file call fails while a store is opened, written, sealed, read and restarted, nothing is lost', async () => {
  const history = new FaultHistory();
  const calls = await history.calls();
  for (const [i, kind] of FAULTS.entries()) {
    for (let call = 1 + i * 31; call <= calls.length; call += STRIDE) {
      await history.runWithFault(call, kind, calls[call - 1]!);
    }
  }
});
