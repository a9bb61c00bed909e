// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DamageTrials } from './testing/damage-trial.ts';
import { FaultHistory } from './testing/fault-history.ts';
import { FAULTS } from './testing/faulty-files.ts';
import { PowerLossTrials } from './testing/power-loss-trial.ts';

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

test('power lost at any call, with any part of what was not synced written, takes nothing that was acknowledged', async () => {
  const trials = new PowerLossTrials();
  for (let seed = 1; seed <= 12; seed++) await trials.run(seed);
  // Of the first group of a segment one record is written, and not the header.
  await trials.run(2_818_613);
  assert.ok(trials.losses > 12 && trials.acknowledged > 100);
});

test('a file that is damaged in any way is named and set aside, and the answers are those of the rest', async () => {
  const trials = await DamageTrials.create();
  for (let seed = 1; seed <= 25; seed++) await trials.run(seed);
  // A manifest that ends early, but between two records.
  await trials.run(791_671);
  assert.ok(trials.missed > 3 && trials.told >= trials.missed);
});
