// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogLines } from '../testing/store-fixture.ts';
import { GuardedClock } from './guarded-clock.ts';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 10, 26);

/** A clock that can be set, and what it says. */
function clockAndGuard() {
  let passed = 5000;
  let set = 0;
  const log = new LogLines();
  const clock = new GuardedClock({
    nowMs: () => START_MS + passed - 5000 + set,
    passedMs: () => passed,
    logger: log.logger,
  });
  return {
    log,
    /** Lets an hour pass and says how much later the guarded clock has it. */
    anHourLater: (): number => {
      passed += HOUR_MS;
      return (clock.nowMs() - START_MS) / HOUR_MS;
    },
    setBy: (hours: number): void => {
      set += hours * HOUR_MS;
    },
  };
}

test('a clock that is set by hours, or back by years, is believed', () => {
  const { anHourLater, setBy, log } = clockAndGuard();
  assert.equal(anHourLater(), 1);
  setBy(1);
  assert.equal(anHourLater(), 3);
  setBy(-1);
  assert.equal(anHourLater(), 3);
  setBy(-87_600);
  assert.equal(anHourLater(), 4 - 87_600);
  assert.deepEqual(log.lines, []);
});

test('a clock that is set forward by years is not believed, told of once, and believed again when it is right', () => {
  const { anHourLater, setBy, log } = clockAndGuard();
  setBy(87_600);
  assert.equal(anHourLater(), 1);
  assert.equal(anHourLater(), 2);
  assert.equal(log.lines.length, 1);
  setBy(-87_600);
  assert.equal(anHourLater(), 3);
  assert.equal(log.lines.length, 1);
});
