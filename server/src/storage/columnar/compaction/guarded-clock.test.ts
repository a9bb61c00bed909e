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
    clock,
    /** How much later than at first what comes in is dated, in hours. */
    dated: (): number => (clock.dateMs() - START_MS) / HOUR_MS,
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

test('what comes in while the clock is set back by years is not dated back', () => {
  const { anHourLater, dated, setBy, log } = clockAndGuard();
  setBy(-87_600);
  assert.equal(anHourLater(), 1 - 87_600);
  assert.equal(dated(), 1);
  setBy(87_597);
  assert.equal(dated(), -2);
  setBy(3 + 87_600);
  assert.equal(dated(), 1, 'nor forward');
  assert.equal(log.lines.length, 1);
});

test('a start long after the newest block makes nothing older for an hour, in which the clock can be set', () => {
  const kept = clockAndGuard();
  kept.clock.start(START_MS - 100 * 24 * HOUR_MS);
  assert.match(kept.log.lines[0]!, /the newest block is 100 days old.*set it within the hour/);
  assert.equal(kept.clock.nowMs(), START_MS - 100 * 24 * HOUR_MS);
  assert.equal(kept.dated(), 0);
  assert.equal(kept.anHourLater(), 1);

  const wrong = clockAndGuard();
  wrong.setBy(87_600);
  wrong.clock.start(START_MS - HOUR_MS);
  assert.equal(wrong.clock.nowMs(), START_MS - HOUR_MS);
  wrong.setBy(-87_600);
  assert.equal(wrong.clock.nowMs(), START_MS);
  assert.equal(wrong.anHourLater(), 1);
});

test('a start with a clock that is behind dates nothing before the newest block, and lets the clock be set', () => {
  const { anHourLater, clock, dated, setBy, log } = clockAndGuard();
  setBy(-87_600);
  clock.start(START_MS - HOUR_MS);
  assert.match(log.lines[0]!, /from 3650 days after now/);
  assert.equal(anHourLater(), 1 - 87_600);
  assert.equal(dated(), 0);
  setBy(87_600);
  assert.equal(dated(), 1);
  assert.equal(anHourLater(), 2);
  setBy(48);
  assert.equal(anHourLater(), 3, 'only once');
  assert.equal(log.lines.length, 2);
});

test('a new store believes the first time that the clock is set to', () => {
  const { anHourLater, clock, setBy } = clockAndGuard();
  clock.start(undefined);
  setBy(87_600);
  assert.equal(anHourLater(), 87_601);
  setBy(87_600);
  assert.equal(anHourLater(), 87_602);
});
