// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { FanOut } from './fan-out.ts';
import type { TraceSink } from './trace-sink.ts';

const BATCH = new BatchBuilder().finish();

/** A sink whose writes end when the test says so. */
function heldSink(): { sink: TraceSink; written: unknown[][]; end: PromiseWithResolvers<void> } {
  const end = Promise.withResolvers<void>();
  const written: unknown[][] = [];
  return {
    end,
    written,
    sink: {
      write: (...args) => {
        written.push(args);
        return end.promise;
      },
    },
  };
}

test('a batch goes to every sink and is acknowledged when all have it', async () => {
  const [a, b] = [heldSink(), heldSink()];
  let isDone = false;
  const write = new FanOut([a.sink, b.sink]).write(DEFAULT_TENANT, BATCH).then(() => {
    isDone = true;
  });
  a.end.resolve();
  await a.end.promise;
  await new Promise(setImmediate);
  assert.equal(isDone, false);
  b.end.resolve();
  await write;
  for (const { written } of [a, b]) assert.deepEqual(written, [[DEFAULT_TENANT, BATCH]]);
});

test('a refusal of one sink is told once the others are done', async () => {
  const [a, b] = [heldSink(), heldSink()];
  let isDone = false;
  const write = new FanOut([a.sink, b.sink]).write(DEFAULT_TENANT, BATCH).finally(() => {
    isDone = true;
  });
  a.end.reject(new SpoorError('overloaded', 'a is full'));
  await new Promise(setImmediate);
  assert.equal(isDone, false);
  b.end.resolve();
  await assert.rejects(write, /a is full/);
});

test('a sender tries again for those who may take the batch later, though another never will', async () => {
  const [never, later] = [heldSink(), heldSink()];
  const write = new FanOut([never.sink, later.sink]).write(DEFAULT_TENANT, BATCH);
  never.end.reject(new SpoorError('malformed', 'never'));
  later.end.reject(new SpoorError('overloaded', 'later'));
  await assert.rejects(write, /later/);
});
