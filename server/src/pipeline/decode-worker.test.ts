// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerInSlices } from './decode-worker.ts';
import { largeBody } from './testing/held-writer.ts';

test('nothing is done for a body whose sender left before its turn, and nothing more after', () => {
  for (const slicesBefore of [0, 1, 2]) {
    const cancel = new SharedArrayBuffer(4);
    const body = largeBody();
    const slices = answerInSlices({ id: 7, format: 'otlp_proto', body, cancel });
    for (let i = 0; i < slicesBefore; i++) assert.equal(slices.next().done, false);
    Atomics.store(new Int32Array(cancel), 0, 1);
    const { done, value } = slices.next();
    assert.equal(done, true);
    const error = { code: 'cancelled', message: 'ingest: the sender went away' };
    assert.deepEqual(value, { id: 7, error });
  }
});
