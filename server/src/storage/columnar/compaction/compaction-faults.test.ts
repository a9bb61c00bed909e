// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';
import { CompactionHistory } from '../testing/compaction-history.ts';
import { FAULTS } from '../testing/faulty-files.ts';
import { seededWords } from '../testing/symbol-fixture.ts';

/** So many calls are left out after each at which something happens here. */
const STRIDE = 41;

test('whatever file call fails while blocks are merged, rewritten and dropped, each step is done or is not', async () => {
  const history = new CompactionHistory();
  const calls = await history.calls();
  for (const [i, kind] of FAULTS.entries()) {
    for (let call = 1 + i * 13; call <= calls.length; call += STRIDE) {
      await history.runWithFault(call, kind, calls[call - 1]!);
    }
  }
});

test('at whatever file call the power goes, each step is done or is not, and nothing is left over', async () => {
  const history = new CompactionHistory();
  const calls = await history.calls();
  const next = seededWords(9);
  const chance = (): number => next() / 2 ** 32;
  for (const [i, loss] of ([{ keep: 'nothing' }, { keep: 'all' }, { chance }] as const).entries()) {
    for (let call = 1 + i * 13; call <= calls.length; call += STRIDE) {
      await history.runWithPowerLoss(call, loss, calls[call - 1]!);
    }
  }
});
