// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testTraceStore } from '#storage/tracestore.contract.ts';
import { ColumnarStore } from './columnar-store.ts';

testTraceStore(
  'columnar store',
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'spoor-store-'));
    const log = {
      info() {},
      warn() {},
      error(...args: unknown[]) {
        console.error(...args);
      },
    };
    let store = new ColumnarStore({ dir, logger: log as never, slabRows: 40 });
    return {
      store,
      reopen: async () => {
        await store.shutdown();
        store = new ColumnarStore({ dir, logger: log as never, slabRows: 40 });
        await store.start();
        return store;
      },
      settle: () => store.settle(),
      close: async () => {
        await store.shutdown();
        await rm(dir, { recursive: true });
      },
    };
  },
  { keepsRequests: true, histories: 15 },
);
