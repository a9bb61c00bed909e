// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RecentView } from './recent-view.ts';

test('a view is always one of the array that is asked for', () => {
  const arrays = Array.from({ length: 4 }, (_, i) => new Uint8Array([i, i]).subarray(i % 2));
  fc.assert(
    fc.property(fc.array(fc.nat(4)), (asked) => {
      const views = new RecentView();
      for (const i of asked) {
        const bytes = arrays[i];
        if (bytes === undefined) {
          views.clear();
          continue;
        }
        const view = views.of(bytes);
        assert.equal(view.buffer, bytes.buffer);
        assert.deepEqual([view.byteOffset, view.byteLength], [bytes.byteOffset, bytes.byteLength]);
        assert.equal(views.of(bytes), view);
      }
    }),
  );
});
