// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ColumnarStore } from '../../server/src/storage/columnar/columnar-store.ts';
import { StoreHarness } from '../../server/src/storage/testing/store-harness.ts';
import { askAcrossTenants } from '../../server/src/storage/testing/tenant-questions.ts';
import { createLogger } from '../../server/src/telemetry/logger.ts';
import { TenantTwins } from '../e2e/tenant-twins.ts';
import type { TortureOptions } from './torture-options.ts';
import type { Verdict } from './verdict.ts';

const QUESTIONS = 10_000;
const SLICE_QUESTIONS = 500;
/** Restarts of the server; before each, spans are sent. */
const ROUNDS = 10;

/** Asks random questions in the names of several tenants, of the store alone and of a whole server. */
export async function tenants(
  directory: string,
  verdict: Verdict,
  { slice, seed }: TortureOptions,
): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const questions = slice ? SLICE_QUESTIONS : QUESTIONS;
  await askStore(join(directory, 'store'), questions, seed);
  verdict.held('a store answers a tenant from its own spans', questions);
  await askServer(join(directory, 'server'), questions, seed, verdict);
}

async function askStore(dir: string, questions: number, seed: number): Promise<void> {
  const open = (): ColumnarStore => new ColumnarStore({ dir, logger: createLogger('silent') });
  let store = open();
  await StoreHarness.use(
    async () => ({
      store,
      reopen: async () => {
        await store.shutdown();
        store = open();
        await store.start();
        return store;
      },
      settle: () => store.settle(),
      close: () => store.shutdown(),
    }),
    (harness) => askAcrossTenants(harness, { questions, seed }),
  );
}

async function askServer(
  directory: string,
  questions: number,
  seed: number,
  verdict: Verdict,
): Promise<void> {
  await using twins = await TenantTwins.start(directory, seed);
  for (let round = 0; round < ROUNDS; round++) {
    await twins.write(60);
    for (let i = 0; i < questions / ROUNDS; i++) {
      const difference = await twins.ask();
      const promise = 'a server answers a tenant as one of its own would';
      verdict.check(promise, difference === undefined, () => difference ?? '');
      if (i % 10 !== 0) continue;
      const status = await twins.askAsNobody();
      verdict.check('who names no tenant gets 401', status === 401, () => `${status}`);
    }
    await twins.restart();
  }
}
