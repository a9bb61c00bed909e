// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
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
  await sealer.seal(new Slab(1, 64));
  assert.deepEqual(pauses, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  assert.deepEqual(refusals, pauses);
});
