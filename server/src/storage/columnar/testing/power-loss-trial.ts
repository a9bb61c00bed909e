// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { ColumnarStore } from '../columnar-store.ts';
import { shopSpans } from './block-fixture.ts';
import { FaultyFiles, type PowerLoss } from './faulty-files.ts';
import { figure, inFaultyStore, settledOrFailed, storeOnFaulty } from './store-fixture.ts';
import { SpanLot, StoreTrial, TRIAL_TENANTS } from './store-trial.ts';
import { seededWords } from './symbol-fixture.ts';

/** A life ends at a call up to this one: some while it starts, some after all its writes. */
const MAX_CALL = 200;

/** Lives of stores that end when the power goes, at any call, with any part of what was not synced left. */
export class PowerLossTrials {
  readonly #lots = Array.from({ length: 24 }, (_, i) => new SpanLot(shopSpans(5, 2, i + 1)));
  #acknowledged = 0;
  #losses = 0;

  /** Spans that were acknowledged, over all runs. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Times that the power was lost. */
  get losses(): number {
    return this.#losses;
  }

  /** One store: up to three lives, and a last one in which all is compared. */
  async run(seed: number): Promise<void> {
    const next = seededWords(seed);
    const trial = new StoreTrial();
    const message = `seed ${seed}`;
    let files = new FaultyFiles();
    for (let life = next() % 3; life >= 0; life--) {
      files.failAt(1 + (next() % MAX_CALL), 'EIO', true);
      await this.#live(files, trial, next);
      files = files.powerLoss(drawnLoss(next));
      this.#losses++;
    }
    await inFaultyStore(files, async (store) => {
      await trial.check(store, message);
      assert.deepEqual(store.damage, [], message);
      const blocks = files.paths().filter((path) => path.endsWith('.block'));
      assert.equal(blocks.length, figure(store, 'store_blocks'), message);
      await store.settle();
      await trial.check(store, `${message}, sealed`);
    });
    this.#acknowledged += trial.acknowledged;
  }

  async #live(files: FaultyFiles, trial: StoreTrial, next: () => number): Promise<void> {
    const store = storeOnFaulty(files);
    try {
      await store.start();
      for (let steps = next() % 8; steps >= 0; steps--) await this.#step(store, trial, next);
    } catch (error) {
      // Only a start may fail; refused writes are counted by the trial.
      assert.equal(store.unhealthy, 'the store is not open', String(error));
    } finally {
      await store.shutdown();
    }
  }

  async #step(store: ColumnarStore, trial: StoreTrial, next: () => number): Promise<void> {
    if (next() % 5 === 0) {
      await settledOrFailed(store);
      return;
    }
    await Promise.all(
      Array.from({ length: 1 + (next() % 3) }, () => {
        const lot = this.#lots[next() % this.#lots.length]!;
        return trial.write(store, lot, TRIAL_TENANTS[next() % 2]!);
      }),
    );
  }
}

function drawnLoss(next: () => number): PowerLoss {
  switch (next() % 6) {
    case 0:
      return { keep: 'nothing' };
    case 1:
      return { keep: 'all' };
    default:
      return { chance: () => next() / 2 ** 32 };
  }
}
