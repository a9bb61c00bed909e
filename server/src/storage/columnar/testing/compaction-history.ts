// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { meets } from '@spoor/core/query/testing/naive-predicate.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import { queryFor, readTraces, writeSpans } from '#storage/testing/store-harness.ts';
import { spanText, TraceOracle } from '#storage/testing/trace-oracle.ts';
import type { ColumnarStore } from '../columnar-store.ts';
import type { RetentionPolicy } from '../compaction/retention-policy.ts';
import { shopSpans } from './block-fixture.ts';
import { type Fault, FaultyFiles, type PowerLoss } from './faulty-files.ts';
import { figure, storeOnFaulty } from './store-fixture.ts';
import { assertAnswers } from './store-trial.ts';

/** Spans of a block as sealed. */
const BLOCK_SPANS = 8;
/** Blocks that expire, those that stay, and those that come after spans were deleted. */
const [OLD, YOUNG, LATE] = [3, 3, 2];

const FIRST_MS = 20_000 * 86_400_000;
/** Blocks of two days are not merged with each other. */
const DAY_MS = 86_400_000;
const MAX_AGE_MS = 2 * DAY_MS;

/** The spans that are deleted from old and young blocks. */
const DELETED: SpanPredicate = {
  op: 'or',
  args: ['service 2', 'service 5'].map((value) => ({
    op: 'eq',
    field: { kind: 'intrinsic', name: 'service' },
    value: { type: 'string', value },
  })),
};

const EVERYTHING = queryFor(undefined, { limit: 1000 });

/** Whether a step was done: undefined when it was not come to, false when it failed, which leaves it open. */
interface Outcome {
  /** Per block whether its spans were acknowledged, and whether they were in a block at once. */
  readonly written: (boolean | undefined)[];
  readonly sealed: (boolean | undefined)[];
  deleted: boolean | undefined;
  expired: boolean | undefined;
}

/**
 * A fixed life of a store in which blocks are sealed, merged, rewritten without some spans, and dropped. Whatever file call fails or
 * is the last one, each of these steps is done as a whole or not at all.
 */
export class CompactionHistory {
  readonly #blocks: readonly (readonly Span[])[];
  #nowMs = FIRST_MS;

  constructor() {
    const count = OLD + YOUNG + LATE;
    const spans = shopSpans(count * BLOCK_SPANS, 6, 17);
    this.#blocks = Array.from({ length: count }, (_, i) =>
      spans.slice(i * BLOCK_SPANS, (i + 1) * BLOCK_SPANS),
    );
  }

  /** The file calls that the history makes when none fails, by their names. */
  async calls(): Promise<readonly string[]> {
    const files = new FaultyFiles();
    const outcome = await this.#run(files);
    const { log } = files;
    const paths = blockPaths(files);
    const after = files.powerLoss({ keep: 'all' });
    await this.#check(after, outcome, 'no fault');
    assert.deepEqual(paths, blockPaths(after), 'nothing was left over');
    assert.deepEqual(
      outcome.written,
      this.#blocks.map(() => true),
    );
    assert.ok(outcome.deleted && outcome.expired);
    return log;
  }

  /** Lets one call fail, and checks what is there after a restart. */
  async runWithFault(call: number, kind: Fault, name: string): Promise<void> {
    const files = new FaultyFiles();
    files.failAt(call, kind);
    const outcome = await this.#run(files);
    files.heal();
    await this.#check(
      files.powerLoss({ keep: 'all' }),
      outcome,
      `${kind} at call ${call}, ${name}`,
    );
  }

  /** Lets the power go just before a call, and checks what is there afterwards. */
  async runWithPowerLoss(call: number, loss: PowerLoss, name: string): Promise<void> {
    const files = new FaultyFiles();
    files.failAt(call, 'EIO', true);
    const outcome = await this.#run(files);
    await this.#check(files.powerLoss(loss), outcome, `power lost at call ${call}, ${name}`);
  }

  async #run(files: FaultyFiles): Promise<Outcome> {
    const outcome: Outcome = {
      written: this.#blocks.map(() => undefined),
      sealed: this.#blocks.map(() => undefined),
      deleted: undefined,
      expired: undefined,
    };
    this.#nowMs = FIRST_MS;
    const store = this.#open(files, { maxAgeMs: MAX_AGE_MS });
    try {
      if (!(await isDone(() => store.start()))) return outcome;
      await this.#write(store, outcome, 0, OLD);
      await isDone(() => unlessStuck(store, store.compact()));
      this.#nowMs += DAY_MS;
      await this.#write(store, outcome, OLD, OLD + YOUNG);
      outcome.deleted = await isDone(() =>
        unlessStuck(store, store.deleteSpans(DEFAULT_TENANT, { where: DELETED })),
      );
      await Promise.all([
        isDone(() => unlessStuck(store, store.compact())),
        this.#write(store, outcome, OLD + YOUNG, this.#blocks.length),
        isDone(() => store.findTraces(DEFAULT_TENANT, EVERYTHING)),
      ]);
      this.#nowMs = FIRST_MS + MAX_AGE_MS;
      const asking = isDone(() => store.findTraces(DEFAULT_TENANT, EVERYTHING));
      outcome.expired = await isDone(() => store.applyRetention());
      await asking;
    } finally {
      await store.shutdown();
    }
    return outcome;
  }

  /** Writes blocks, each sealed before the next one. */
  async #write(store: ColumnarStore, outcome: Outcome, from: number, to: number): Promise<void> {
    for (let block = from; block < to; block++) {
      outcome.written[block] = await isDone(() => writeSpans(store, this.#blocks[block]!));
      outcome.sealed[block] = await isDone(() => unlessStuck(store, store.settle()));
    }
  }

  async #check(files: FaultyFiles, outcome: Outcome, message: string): Promise<void> {
    // What is to be found there must not go at the start.
    const store = this.#open(files, {});
    try {
      await store.start();
      const ids = [...new Set(this.#blocks.flat().map(({ traceId }) => traceId))];
      const found = (await readTraces(store, ids)).flat();
      const texts = new Set(found.map(spanText));
      assert.equal(texts.size, found.length, `${message}: a span is there twice`);
      this.#checkSpans(texts, outcome, message);
      const oracle = new TraceOracle();
      oracle.write(DEFAULT_TENANT, found);
      await assertAnswers(store, oracle);
      const blocks = blockPaths(files);
      assert.equal(blocks.length, figure(store, 'store_blocks'), `${message}: ${blocks.join()}`);
      assert.equal(figure(store, 'store_damaged_blocks'), 0, message);
    } finally {
      await store.shutdown();
    }
  }

  #checkSpans(texts: ReadonlySet<string>, outcome: Outcome, message: string): void {
    const { written, sealed, deleted, expired } = outcome;
    /** Of steps that failed: how many of their spans are gone, and how many are there. */
    const open = { deleted: [0, 0], expired: [0, 0] };
    let known = 0;
    this.#blocks.forEach((spans, block) => {
      for (const span of spans) {
        const text = spanText(span);
        const isThere = texts.has(text);
        if (isThere) known++;
        const isDeletable = block < OLD + YOUNG && meets(span, DELETED);
        const isOld = block < OLD;
        // What was refused may be there all the same; what was sealed later than it was to be is younger.
        if (written[block] !== true || (isOld && sealed[block] !== true)) continue;
        if ((isDeletable && deleted === true) || (isOld && expired === true)) {
          assert.ok(!isThere, `${message}: a span that was removed is there: ${text}`);
        } else if (isDeletable && deleted === false && isOld && expired === false) {
          continue;
        } else if (isDeletable && deleted === false) {
          open.deleted[isThere ? 1 : 0]!++;
        } else if (isOld && expired === false) {
          open.expired[isThere ? 1 : 0]!++;
        } else {
          assert.ok(isThere, `${message}: an acknowledged span is missing: ${text}`);
        }
      }
    });
    assert.equal(known, texts.size, `${message}: something is there that was never written`);
    for (const [gone, there] of Object.values(open)) {
      assert.ok(gone === 0 || there === 0, `${message}: ${gone} spans are gone, ${there} are not`);
    }
  }

  #open(files: FaultyFiles, retention: RetentionPolicy): ColumnarStore {
    return storeOnFaulty(files, {
      nowMs: () => this.#nowMs,
      retention,
    });
  }
}

function blockPaths(files: FaultyFiles): string[] {
  return files.paths().filter((path) => path.includes('.block'));
}

async function isDone(step: () => Promise<unknown>): Promise<boolean> {
  try {
    await step();
    return true;
  } catch (error) {
    assert.ok(error instanceof SpoorError, String(error));
    return false;
  }
}

/** Turns in a row in which a store cannot go on, after which it is taken to be unable for good. */
const STUCK_TURNS = 300;

/** Waits for a step, or until the store is unable to go on. */
async function unlessStuck(store: ColumnarStore, step: Promise<unknown>): Promise<void> {
  let isOver = false;
  const over = (): void => {
    isOver = true;
  };
  step.then(over, over);
  for (let turns = 0; !isOver; turns = store.unhealthy === undefined ? 0 : turns + 1) {
    if (turns > STUCK_TURNS) throw new SpoorError('unavailable', store.unhealthy!);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await step;
}
