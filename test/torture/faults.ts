// SPDX-License-Identifier: Apache-2.0
import { CompactionHistory } from '../../server/src/storage/columnar/testing/compaction-history.ts';
import { DamageTrials } from '../../server/src/storage/columnar/testing/damage-trial.ts';
import { FaultHistory } from '../../server/src/storage/columnar/testing/fault-history.ts';
import { FAULTS } from '../../server/src/storage/columnar/testing/faulty-files.ts';
import { PowerLossTrials } from '../../server/src/storage/columnar/testing/power-loss-trial.ts';
import { seededWords } from '../../server/src/storage/columnar/testing/symbol-fixture.ts';
import type { TortureOptions } from './torture-options.ts';
import type { Verdict } from './verdict.ts';

const POWER_LOSS_RUNS = { full: 1000, slice: 100 };
const MUTATIONS = { full: 10_000, slice: 200 };
/** In the short form one call in so many fails. */
const SLICE_STRIDE = 30;

/** The store on files in memory, with every single file call made to fail. */
export async function failedCalls(verdict: Verdict, options: TortureOptions): Promise<void> {
  const writing = new FaultHistory();
  await failEach(verdict, options, 'written and sealed', writing, FAULTS, (...fault) =>
    writing.runWithFault(...fault),
  );
  const compacting = new CompactionHistory();
  await failEach(verdict, options, 'merged and removed', compacting, FAULTS, (...fault) =>
    compacting.runWithFault(...fault),
  );
  const next = seededWords(options.seed);
  const losses = [
    { keep: 'nothing' },
    { keep: 'all' },
    { chance: () => next() / 2 ** 32 },
  ] as const;
  await failEach(verdict, options, 'merged while the power goes', compacting, losses, (...loss) =>
    compacting.runWithPowerLoss(...loss),
  );
}

/** Runs a history once for each of its calls and each way in which that can end. */
async function failEach<Kind>(
  verdict: Verdict,
  options: TortureOptions,
  what: string,
  history: { calls(): Promise<readonly string[]> },
  kinds: readonly Kind[],
  run: (call: number, kind: Kind, name: string) => Promise<void>,
): Promise<void> {
  const calls = await history.calls();
  const stride = options.slice ? SLICE_STRIDE : 1;
  let runs = 0;
  for (const kind of kinds) {
    for (let i = options.slice ? options.seed % stride : 0; i < calls.length; i += stride) {
      const name = calls[i]!;
      await attempt(verdict, `${what}: nothing is lost, doubled or left over`, () =>
        run(i + 1, kind, name),
      );
      runs++;
    }
  }
  verdict.figure(`${what}: file calls of the history`, calls.length);
  verdict.figure(`${what}: runs`, runs);
}

/** The same store, losing power at drawn moments. */
export async function powerLosses(verdict: Verdict, options: TortureOptions): Promise<void> {
  const trials = new PowerLossTrials();
  const runs = options.slice ? POWER_LOSS_RUNS.slice : POWER_LOSS_RUNS.full;
  for (let run = 0; run < runs; run++) {
    await attempt(verdict, 'nothing acknowledged is lost, nothing is invented', () =>
      trials.run(options.seed * 65_536 + run),
    );
  }
  verdict.figure('runs', runs);
  verdict.figure('times that the power was lost', trials.losses);
  verdict.figure('spans acknowledged', trials.acknowledged);
}

/** The same store, with one file damaged. */
export async function damagedFiles(verdict: Verdict, options: TortureOptions): Promise<void> {
  const trials = await DamageTrials.create();
  const runs = options.slice ? MUTATIONS.slice : MUTATIONS.full;
  for (let run = 0; run < runs; run++) {
    await attempt(verdict, 'it starts, names the file, and answers the rest', () =>
      trials.run(options.seed * 65_536 + run),
    );
  }
  verdict.figure('mutations', runs);
  verdict.figure('of these named', trials.told);
  verdict.figure('of these with spans missing', trials.missed);
}

/** Counts a run that asserts its promise. */
async function attempt(verdict: Verdict, promise: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
    verdict.held(promise);
  } catch (error) {
    verdict.broken(promise, error instanceof Error ? error.message : String(error));
  }
}
