// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { ColumnarStore } from './columnar-store.ts';
import { rowTexts, shopSpans } from './testing/block-fixture.ts';
import { withDirectory } from './testing/temporary-directory.ts';

test('a byte that changed anywhere in a block takes that block out of the answers and nothing else', async () => {
  await withDirectory(async (dir) => {
    const errors: string[] = [];
    const logger = { info() {}, warn() {}, error: (_: object, text: string) => errors.push(text) };
    const spans = shopSpans(600, 40);
    const halves = [batchOf(spans.slice(0, 300)), batchOf(spans.slice(300))];
    const store = new ColumnarStore({ dir, logger: logger as never });
    await store.start();
    for (const half of halves) {
      await store.write(DEFAULT_TENANT, half);
      await store.settle();
    }
    await store.shutdown();
    const ids = [...new Set(spans.map(({ traceId }) => traceId))];
    const [path] = globSync(join(dir, 'tenants/default/*.block')).sort();
    const whole = readFileSync(path!);
    const left = new Set(rowTexts(halves[1]!));

    for (let at = 8; at < whole.length; at += Math.ceil(whole.length / 12)) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 4;
      writeFileSync(path!, bytes);
      errors.length = 0;
      const damaged = new ColumnarStore({ dir, logger: logger as never });
      await damaged.start();
      try {
        const texts: string[] = [];
        for await (const batch of damaged.getTraces(DEFAULT_TENANT, ids)) {
          texts.push(...rowTexts(batch));
        }
        // Some parts of a block are not needed to read traces: then all is there.
        if (errors.length === 0) assert.equal(texts.length, 600, `byte ${at}`);
        else {
          assert.deepEqual(new Set(texts), left, `byte ${at}`);
          assert.match(errors.join(), /a damaged block is left out of all answers/);
        }
      } finally {
        await damaged.shutdown();
      }
    }
  });
});
