// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { parseTenant } from '../../core/src/model/ids.ts';
import {
  columnarInMemory,
  columnarOnDisk,
} from '../../server/src/storage/columnar/testing/columnar-under-test.ts';
import { StoreHarness } from '../../server/src/storage/testing/store-harness.ts';
import {
  arbitraryHistory,
  liveThrough,
  type StoreHistory,
} from '../../server/src/storage/testing/store-history.ts';
import type { TortureOptions } from './torture-options.ts';
import type { Verdict } from './verdict.ts';

/** Enough for several merges, with copies between them. */
const MAX_STEPS = 25;
/** Of a hundred histories so many have thousands of spans. */
const CROWDS = 3;
/** Histories under one seed, which are tried on one store on the disk, or each on one in memory. */
const ROUND_RUNS = 40;
/** Every so many rounds the store is on the disk, with its threads. */
const DISK_EVERY = 4;
/** A failed history is made smaller for no longer than this. */
const SHRINK_MS = 5 * 60_000;

const PROMISE = 'the answers are those of brute force';

/** Random histories with random questions after them, until the time is over or an answer is wrong. */
export async function answers(verdict: Verdict, options: TortureOptions): Promise<void> {
  const endMs = performance.now() + options.minutes * 60_000;
  let steps = 0;
  let questions = 0;
  for (let round = 0; performance.now() < endMs && verdict.brokenChecks === 0; round++) {
    const seed = options.seed * 65_536 + round;
    const isOnDisk = round % DISK_EVERY === DISK_EVERY - 1;
    const live = (history: StoreHistory, harness: StoreHarness, run: number): Promise<void> => {
      steps += history.steps.length;
      questions += history.queries.length;
      return liveThrough(history, harness, parseTenant(`run-${run}`));
    };
    const details = await (isOnDisk ? onOneStore(seed, live) : onNewStores(seed, live));
    if (details.failed) {
      const where = isOnDisk ? 'on the disk' : 'in memory';
      // With the seed, and the history that failed, made as small as it could be.
      const history = await fc.asyncDefaultReportMessage(details);
      verdict.broken(
        PROMISE,
        `round ${round}, ${where}: ${history}\n${String(details.errorInstance)}`,
      );
    } else {
      verdict.held(PROMISE, details.numRuns);
    }
  }
  verdict.figure('steps of the histories', steps);
  verdict.figure('searches, each at three moments', questions);
}

type Live = (history: StoreHistory, harness: StoreHarness, run: number) => Promise<void>;
type Details = fc.RunDetails<[StoreHistory]>;

function check(seed: number, live: (history: StoreHistory) => Promise<void>): Promise<Details> {
  return fc.check(fc.asyncProperty(arbitraryHistory(MAX_STEPS, CROWDS), live), {
    seed,
    numRuns: ROUND_RUNS,
    interruptAfterTimeLimit: SHRINK_MS,
  });
}

/** Tenants see nothing of each other, so each history has one of its own. */
async function onOneStore(seed: number, live: Live): Promise<Details> {
  let details: Details | undefined;
  let run = 0;
  await StoreHarness.use(columnarOnDisk, async (harness) => {
    details = await check(seed, (history) => live(history, harness, run++));
  });
  return details!;
}

function onNewStores(seed: number, live: Live): Promise<Details> {
  return check(seed, (history) =>
    StoreHarness.use(
      async () => columnarInMemory(),
      (harness) => live(history, harness, 0),
    ),
  );
}
