// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { ColumnarStore } from '../columnar-store.ts';
import { shopSpans } from './block-fixture.ts';
import { type Fault, FaultyFiles } from './faulty-files.ts';
import { figure, inFaultyStore, settledOrFailed, storeOnFaulty } from './store-fixture.ts';
import { SpanLot, StoreTrial, TRIAL_TENANTS } from './store-trial.ts';

/** Spans of one write. */
const WRITE_SPANS = 6;
/** Writes in two lives. */
const WRITES = 18;

/** By then the store has looked twice whether it is quiet. */
const QUIET_MS = 30_000;
/** More than a few tenants take to be prepared. */
const PREPARING_TURNS = 40;

/** A fixed life of a store: opening, writing, sealing, reading, preparing and restarting, with everything twice. */
export class FaultHistory {
  readonly #lots: readonly SpanLot[];
  #written = 0;

  constructor() {
    const spans = shopSpans(WRITES * WRITE_SPANS, 8, 11);
    this.#lots = Array.from(
      { length: WRITES },
      (_, i) => new SpanLot(spans.slice(i * WRITE_SPANS, (i + 1) * WRITE_SPANS)),
    );
  }

  /** The calls of the file layer that the history makes when none fails, by their names. */
  async calls(): Promise<readonly string[]> {
    const files = new FaultyFiles();
    const trial = new StoreTrial();
    await this.#run(files, trial, 'no fault');
    assert.equal(trial.refusals, 0);
    assert.ok(files.log.includes('writev overlaps') && files.log.includes('read overlaps'));
    return [...files.log];
  }

  /** Runs it with one call that fails, and checks that nothing acknowledged is lost and nothing is left over. */
  async runWithFault(call: number, kind: Fault, name: string): Promise<void> {
    const files = new FaultyFiles();
    files.failAt(call, kind);
    const message = `${kind} at call ${call}, ${name}`;
    const trial = new StoreTrial();
    await this.#run(files, trial, message);
    if (kind === 'short') assert.equal(trial.refusals, 0, message);
    files.heal();
    for (const keep of ['nothing', 'all'] as const) {
      const after = files.powerLoss({ keep });
      await inFaultyStore(after, async (store) => {
        await trial.check(store, `${message}, ${keep} kept`);
        const blocks = after.paths().filter((path) => path.endsWith('.block'));
        assert.equal(blocks.length, figure(store, 'store_blocks'), `${message}: ${blocks.join()}`);
        const others = after.paths().filter((path) => /damaged|unnamed|tmp/.test(path));
        assert.deepEqual(others, [], message);
      });
    }
  }

  async #run(files: FaultyFiles, trial: StoreTrial, message: string): Promise<void> {
    this.#written = 0;
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      await this.#live(files, trial, message);
    } finally {
      mock.timers.reset();
    }
  }

  async #live(files: FaultyFiles, trial: StoreTrial, message: string): Promise<void> {
    for (let life = 0; life < 2; life++) {
      const store = storeOnFaulty(files);
      try {
        await store.start();
      } catch (error) {
        assert.ok(error instanceof SpoorError && error.code === 'unavailable', String(error));
        await store.shutdown();
        continue;
      }
      try {
        await Promise.all([this.#write(store, trial), this.#write(store, trial)]);
        await settledOrFailed(store);
        for (let i = 0; i < 5; i++) await this.#write(store, trial);
        await Promise.all([this.#write(store, trial), this.#write(store, trial)]);
        await trial.check(store, message).catch((error: unknown) => {
          // The call that failed was one of a read: it ends with an error, or a block is left out until the next start.
          const isOfRead = error instanceof SpoorError && error.retryable;
          if (!isOfRead && figure(store, 'store_damaged_blocks') === 0) throw error;
        });
        mock.timers.tick(QUIET_MS);
        for (let turn = 0; turn < PREPARING_TURNS; turn++) {
          await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        await store.shutdown();
      }
    }
  }

  async #write(store: ColumnarStore, trial: StoreTrial): Promise<void> {
    const i = this.#written++;
    await trial.write(store, this.#lots[i]!, TRIAL_TENANTS[i % 2]!);
  }
}
