// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { Slab } from '../head/slab.ts';
import { StoreWork } from '../live/store-work.ts';
import { Sealer, type SealerParts } from './sealer.ts';

test('a slab that cannot be sealed is tried again less and less often', async () => {
  const pauses: number[] = [];
  const refusals: (number | undefined)[] = [];
  const sealer = new Sealer({
    dir: '',
    logger: { error: () => undefined },
    worker: {
      request: () => Promise.reject(new Error('no luck')),
      notify: () => undefined,
      close: () => Promise.resolve(),
    },
    work: new StoreWork(),
    // Nothing else of these is looked at.
    blocks: {
      alone: (work: () => Promise<unknown>) => work(),
      takeId: () => 1,
      hold: () => () => undefined,
    } as unknown as SealerParts['blocks'],
    space: { look: () => Promise.resolve() } as SealerParts['space'],
    tenants: { names: [] } as unknown as SealerParts['tenants'],
    clock: { dateMs: () => 0, isSure: true },
    onSealed: () => undefined,
    onFailure: (error) => refusals.push(error?.retryAfterMs),
    later: (action, delayMs) => {
      pauses.push(delayMs);
      if (pauses.length === 8) void sealer.close();
      action();
      return () => undefined;
    },
  });
  const isUnavailable = (error: unknown): boolean =>
    error instanceof SpoorError && error.code === 'unavailable';
  // What was given up is not sealed, nor is what comes after it.
  await assert.rejects(sealer.seal(new Slab(1, 64)), isUnavailable);
  await assert.rejects(sealer.seal(new Slab(2, 64)), isUnavailable);
  assert.deepEqual(pauses, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  assert.deepEqual(refusals, pauses);
});
