// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogLines } from '../testing/store-fixture.ts';
import { GuardedClock, type KnownTimes } from './guarded-clock.ts';

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

test('dates are whole milliseconds, whatever part of one has passed', () => {
  let passed = 0.3;
  let now = START_MS;
  const options = { nowMs: () => now, passedMs: () => passed, logger: new LogLines().logger };
  const clock = new GuardedClock(options);
  clock.start(undefined);
  for (passed of [0.7, 1000.2, HOUR_MS + 0.9]) {
    assert.ok(Number.isSafeInteger(clock.dateMs()));
    assert.ok(Number.isSafeInteger(clock.nowMs()));
  }
  assert.ok(Number.isSafeInteger(clock.settledMs(START_MS)));
  now -= 1000 * HOUR_MS;
  assert.ok(Number.isSafeInteger(clock.dateMs()));
});

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

const dated = (lastMs: number): KnownTimes => ({ isDated: true, lastMs });

test('a start long after the newest block makes things older only by the time that passes for an hour, in which the clock can be set', () => {
  const newestMs = START_MS - 100 * 24 * HOUR_MS;
  const kept = clockAndGuard();
  kept.clock.start(dated(newestMs));
  assert.match(kept.log.lines[0]!, /the newest block is 100 days old.*set it within the hour/);
  assert.equal(kept.clock.nowMs(), newestMs);
  assert.equal(kept.clock.isSure, false);
  const provisionalMs = kept.clock.dateMs();
  assert.equal(provisionalMs, newestMs);
  assert.equal(kept.anHourLater(), 1);
  assert.equal(kept.clock.isSure, true);
  assert.equal(kept.clock.settledMs(provisionalMs), START_MS);
  assert.equal(kept.clock.settledMs(provisionalMs - HOUR_MS), START_MS, 'of an earlier process');

  const wrong = clockAndGuard();
  wrong.setBy(87_600);
  wrong.clock.start(dated(START_MS - HOUR_MS));
  assert.equal(wrong.clock.nowMs(), START_MS - HOUR_MS);
  assert.equal(wrong.dated(), -1);
  wrong.setBy(-87_600);
  assert.equal(wrong.clock.nowMs(), START_MS);
  assert.equal(wrong.clock.settledMs(START_MS - HOUR_MS), START_MS);
  assert.equal(wrong.anHourLater(), 1);
});

test('a start with a clock that is behind dates nothing before the newest block, and lets the clock be set', () => {
  const { anHourLater, clock, dated: datedBy, setBy, log } = clockAndGuard();
  setBy(-87_600);
  clock.start(dated(START_MS - HOUR_MS));
  assert.match(log.lines[0]!, /from 3650 days after now/);
  assert.equal(anHourLater(), 1 - 87_600);
  assert.equal(datedBy(), 0);
  assert.equal(clock.isSure, false);
  setBy(87_600);
  assert.equal(datedBy(), 1);
  assert.equal(clock.isSure, true);
  assert.equal(clock.settledMs(START_MS), START_MS + HOUR_MS);
  assert.equal(anHourLater(), 2);
  setBy(48);
  assert.equal(anHourLater(), 3, 'only once');
  assert.equal(log.lines.length, 2);
});

test('a clock that was behind for days has an hour of doubt when it is set far ahead of the newest block', () => {
  const { anHourLater, clock, setBy } = clockAndGuard();
  setBy(-87_600);
  clock.start(dated(START_MS - 720 * HOUR_MS));
  for (let hour = 1; hour <= 50; hour++) assert.equal(anHourLater(), hour - 87_600);
  setBy(87_600);
  assert.equal(clock.nowMs(), START_MS - 670 * HOUR_MS);
  assert.equal(clock.isSure, false);
  assert.equal(anHourLater(), 51);
  assert.equal(clock.isSure, true);
});

test('a start soon after a block with a provisional date alone is no proof that the clock is right', () => {
  const { anHourLater, clock, log, setBy } = clockAndGuard();
  setBy(-500_000);
  clock.start({ isDated: false, lastMs: START_MS - 500_001 * HOUR_MS });
  assert.equal(clock.isSure, false);
  setBy(500_000);
  assert.equal(clock.nowMs(), START_MS - 500_001 * HOUR_MS);
  assert.equal(anHourLater(), 1);
  assert.equal(clock.settledMs(START_MS - 500_001 * HOUR_MS), START_MS);
  assert.deepEqual(log.lines, []);
});

test('a clock that is set back within the first hour of a store, and stays so over a restart, is told and believed', () => {
  const { anHourLater, clock, log, setBy } = clockAndGuard();
  setBy(-87_600);
  clock.start({ isDated: false, lastMs: START_MS });
  assert.match(log.lines[0]!, /from 3650 days after now.*until the clock is believed/);
  assert.equal(anHourLater(), 1 - 87_600);
  assert.equal(clock.isSure, true);
  assert.equal(clock.settledMs(START_MS), START_MS - 87_600 * HOUR_MS);
});

test('a new store believes the time that the clock is set to within the hour', () => {
  const { anHourLater, clock, setBy } = clockAndGuard();
  clock.start(undefined);
  const provisionalMs = clock.dateMs();
  setBy(87_600);
  assert.equal(clock.nowMs(), START_MS);
  assert.equal(anHourLater(), 87_601);
  assert.equal(clock.settledMs(provisionalMs), START_MS + 87_600 * HOUR_MS);
  setBy(87_600);
  assert.equal(anHourLater(), 87_602);
});
