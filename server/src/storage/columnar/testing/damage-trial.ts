// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { queryFor } from '#storage/testing/store-harness.ts';
import type { TraceOracle } from '#storage/testing/trace-oracle.ts';
import type { ColumnarStore } from '../columnar-store.ts';
import { shopSpans } from './block-fixture.ts';
import { FaultyFiles } from './faulty-files.ts';
import { inFaultyStore } from './store-fixture.ts';
import { SpanLot, StoreTrial, TRIAL_TENANTS } from './store-trial.ts';
import { seededWords } from './symbol-fixture.ts';

/** Bytes of a place that the device lost. */
const SECTOR_BYTES = 512;

/** What can happen to a file. */
const MUTATIONS: Record<string, (bytes: Uint8Array, next: () => number) => Uint8Array | undefined> =
  {
    'a flipped bit': (bytes, next) => {
      if (bytes.length > 0) bytes[next() % bytes.length]! ^= 1 << (next() % 8);
      return bytes;
    },
    'another byte': (bytes, next) => {
      if (bytes.length > 0) bytes[next() % bytes.length]! ^= 1 + (next() % 255);
      return bytes;
    },
    'a cut': (bytes, next) => bytes.subarray(0, next() % (bytes.length + 1)),
    'a sector of zeros': (bytes, next) => {
      const at = (next() % (bytes.length + 1)) & ~(SECTOR_BYTES - 1);
      bytes.fill(0, at, at + SECTOR_BYTES);
      return bytes;
    },
    'bytes behind the end': (bytes, next) => {
      const more = new Uint8Array(bytes.length + 1 + (next() % 100));
      more.set(bytes);
      return more;
    },
    'no bytes': () => new Uint8Array(0),
    'no file': () => undefined,
  };

/** A store, each of whose files is damaged in every way, one at a time. */
export class DamageTrials {
  readonly #files: FaultyFiles;
  readonly #trial: StoreTrial;
  /** Paths of all files, and what each can take away: the texts of the spans that are missing without it. */
  readonly #risks = new Map<string, ReadonlySet<string>>();
  /** Answers when all is there, and without each block. */
  #answers: readonly unknown[] = [];
  readonly #answersWithout = new Map<string, readonly unknown[]>();
  /** How often something was missing, and how often damage was told. */
  missed = 0;
  told = 0;

  private constructor(files: FaultyFiles, trial: StoreTrial) {
    this.#files = files;
    this.#trial = trial;
  }

  /** Makes the store: blocks of two tenants, and a log with spans that are in none. */
  static async create(): Promise<DamageTrials> {
    const files = new FaultyFiles();
    const trial = new StoreTrial();
    const lots = Array.from({ length: 10 }, (_, i) => new SpanLot(shopSpans(8, 3, i + 1)));
    await inFaultyStore(files, async (store) => {
      for (const [i, lot] of lots.entries()) {
        await trial.write(store, lot, TRIAL_TENANTS[i % 2]!);
        if (i === 6) await store.settle();
      }
    });
    const trials = new DamageTrials(files, trial);
    trials.#answers = await answersOf(trial.oracle());
    for (const path of files.paths()) {
      const copy = files.copy();
      copy.remove(path);
      await inFaultyStore(copy, async (store) => {
        const missing = new Set(await trial.check(store, `without ${path}`, true));
        trials.#risks.set(path, missing);
        if (path.endsWith('.block')) {
          assert.ok(missing.size > 0);
          trials.#answersWithout.set(path, await answersOf(trial.oracle(missing)));
        }
      });
    }
    return trials;
  }

  /** Damages one file as the seed says, and asks everything of the store. */
  async run(seed: number): Promise<void> {
    const next = seededWords(seed);
    const paths = [...this.#risks.keys()];
    const path = paths[next() % paths.length]!;
    const [what, mutate] = Object.entries(MUTATIONS)[next() % Object.keys(MUTATIONS).length]!;
    const files = this.#files.copy();
    const bytes = mutate(files.content(path), next);
    if (bytes === undefined) files.remove(path);
    else files.put(path, bytes);
    const message = `seed ${seed}: ${what} in ${path}`;
    await inFaultyStore(files, async (store) => {
      await this.#checkFirstAnswers(store, path, message);
      const missing = await this.#checkAll(store, message);
      const isTold = store.damage.some(
        (one) => one.path === path || one.message.includes(basename(path)),
      );
      assert.ok(isTold || missing.length === 0, `${message}: ${missing.length} spans, untold`);
      if (missing.length > 0) this.missed++;
      if (isTold) this.told++;
      const risk = this.#risks.get(path)!;
      // Without the manifest the log is read back whole: a part of it can take away more.
      if (!path.endsWith('MANIFEST')) {
        const others = missing.filter((text) => !risk.has(text));
        assert.deepEqual(others, [], `${message}: spans of other files are missing`);
      }
      const again = new StoreTrial();
      await again.write(store, new SpanLot(shopSpans(3, 1, 99)), TRIAL_TENANTS[1]);
      assert.equal(again.refusals, 0, message);
    });
  }

  /** The very first answers are whole or, from the block that is damaged, without any of it. */
  async #checkFirstAnswers(store: ColumnarStore, path: string, message: string): Promise<void> {
    const without = this.#answersWithout.get(path);
    if (without === undefined) return;
    for (const [i, answer] of (await answersOf(store)).entries()) {
      const isRight = [this.#answers, without].some((all) => isDeepStrictEqual(answer, all[i]));
      assert.ok(isRight, `${message}: answer ${i} is wrong`);
    }
  }

  async #checkAll(store: ColumnarStore, message: string): Promise<string[]> {
    for (;;) {
      const known = store.damage.length;
      try {
        const missing = await this.#trial.check(store, message, true);
        if (store.damage.length === known) return missing;
      } catch (error) {
        // Damage that is found between two questions makes the second one differ from the first.
        if (store.damage.length === known) throw error;
      }
    }
  }
}

/** Everything that can be asked, in an order that comes upon each part of a block now and then first. */
async function answersOf(store: ColumnarStore | TraceOracle): Promise<unknown[]> {
  const answers: unknown[] = [];
  const query = queryFor(undefined, { limit: 1000 });
  for (const tenant of TRIAL_TENANTS) {
    answers.push(await store.getServices(tenant));
    answers.push([...(await store.getOperations(tenant, 'service 1'))]);
    answers.push(await store.findTraces(tenant, query));
  }
  return answers;
}
