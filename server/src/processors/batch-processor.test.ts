// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, parseTenant } from '@spoor/core/model/ids.ts';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
import { span } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { batchProcessorSchema } from '#config/batch-processor-config.ts';
import type { RequestRecord } from '#storage/tracestore.ts';
import { BatchProcessor } from './batch-processor.ts';
import { RecordingSink, spansOf } from './testing/recording-sink.ts';

const tenant = DEFAULT_TENANT;

function batcher(given: object, next = new RecordingSink({ waits: true })) {
  const config = batchProcessorSchema.parse({ timeout: '1h', ...given });
  return { processor: new BatchProcessor(config, { name: 'batch', next }), next };
}

const named = (...names: readonly string[]) => batchOf(names.map((name) => span({ name })));
const namesOf = ({ writes }: RecordingSink) =>
  writes.map(({ batch }) =>
    spansOf(batch)
      .map(({ name }) => name)
      .join(''),
  );
const turn = () => new Promise((resolve) => setImmediate(resolve));

function record(byte: number): RequestRecord {
  return { digest: new Uint8Array(16).fill(byte), accepted: 1, rejected: 0, message: '' };
}

test('a batch goes on at once when none is written, and those that come meanwhile go on together', async () => {
  const { processor, next } = batcher({});
  const answers: string[] = [];
  const write = (name: string, byte: number) =>
    processor.write(tenant, named(name), [record(byte)]).then(() => answers.push(name));
  const all = [write('a', 1), write('b', 2), write('c', 3)];
  assert.deepEqual(namesOf(next), ['a']);
  next.writes[0]!.resolve();
  await all[0];
  await turn();
  assert.deepEqual(namesOf(next), ['a', 'bc']);
  assert.deepEqual(next.writes[1]!.requests, [record(2), record(3)]);
  // Nobody is answered before what they sent is written.
  assert.deepEqual(answers, ['a']);
  next.writes[1]!.resolve();
  await Promise.all(all);
});

test('enough spans do not wait for a write that is slow', async () => {
  const { processor, next } = batcher({ send_batch_size: 2 });
  const all = ['a', 'b', 'c', 'd'].map((name) => processor.write(tenant, named(name)));
  assert.deepEqual(namesOf(next), ['a', 'bc']);
  for (let i = 0; i < 3; i++) {
    next.writes[i]!.resolve();
    await turn();
  }
  assert.deepEqual(namesOf(next), ['a', 'bc', 'd']);
  await Promise.all(all);
});

test('after the timeout spans do not wait either', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { processor, next } = batcher({ timeout: '200ms' });
  const all = [processor.write(tenant, named('a')), processor.write(tenant, named('b'))];
  context.mock.timers.tick(199);
  assert.deepEqual(namesOf(next), ['a']);
  context.mock.timers.tick(1);
  assert.deepEqual(namesOf(next), ['a', 'b']);
  for (const { resolve } of next.writes) resolve();
  await Promise.all(all);
});

test('tenants share nothing', async () => {
  const { processor, next } = batcher({});
  const all = ['x', 'y'].map((name) => processor.write(parseTenant(name), named(name)));
  assert.deepEqual(namesOf(next), ['x', 'y']);
  for (const { resolve } of next.writes) resolve();
  await Promise.all(all);
});

test('a batch that is too large is split, and its requests go with the last part', async () => {
  const { processor, next } = batcher({ send_batch_size: 2, send_batch_max_size: 2 });
  const written = processor.write(tenant, named('a', 'b', 'c', 'd', 'e'), [record(1)]);
  assert.deepEqual(namesOf(next), ['ab', 'cd']);
  next.writes[0]!.resolve();
  await turn();
  assert.equal(next.writes.length, 2);
  next.writes[1]!.resolve();
  await turn();
  assert.deepEqual(namesOf(next), ['ab', 'cd', 'e']);
  assert.deepEqual(
    next.writes.map(({ requests }) => requests.length),
    [0, 0, 1],
  );
  next.writes[2]!.resolve();
  await written;
});

test('a refusal is told to all who are joined, and the next ones are written all the same', async () => {
  const { processor, next } = batcher({});
  const first = processor.write(tenant, named('a'));
  const others = ['b', 'c'].map((name) =>
    assert.rejects(processor.write(tenant, named(name)), /no/),
  );
  next.writes[0]!.resolve();
  await first;
  await turn();
  next.writes[1]!.reject(new SpoorError('unavailable', 'no'));
  await Promise.all(others);
  const last = processor.write(tenant, named('d'));
  assert.deepEqual(namesOf(next), ['a', 'bc', 'd']);
  next.writes[2]!.resolve();
  await last;
});

test('what is refused for good is written again batch by batch, and only the bad one is refused', async () => {
  const { processor, next } = batcher({});
  const first = processor.write(tenant, named('a'));
  const ends = Promise.allSettled(
    ['b', 'c'].map((name, i) => processor.write(tenant, named(name), [record(i)])),
  );
  next.writes[0]!.resolve();
  await first;
  await turn();
  const refusal = new SpoorError('malformed', 'no span');
  next.writes[1]!.reject(refusal);
  await turn();
  next.writes[2]!.reject(refusal);
  await turn();
  next.writes[3]!.resolve();
  assert.deepEqual(
    (await ends).map(({ status }) => status),
    ['rejected', 'fulfilled'],
  );
  assert.deepEqual(namesOf(next), ['a', 'bc', 'b', 'c']);
  assert.deepEqual(
    next.writes.map(({ requests }) => requests.length),
    [0, 2, 1, 1],
  );
});

test('a largest size below the usual one is refused', () => {
  assert.throws(() => batcher({ send_batch_size: 3, send_batch_max_size: 2 }));
});

test('joined and split, all spans come out as they went in, in batches of the right size', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(arbitrarySpan, { minLength: 1, maxLength: 4 }), {
        minLength: 1,
        maxLength: 6,
      }),
      fc.integer({ min: 1, max: 5 }),
      async (lists, most) => {
        const next = new RecordingSink();
        const { processor } = batcher({ send_batch_size: 1, send_batch_max_size: most }, next);
        const batches = lists.map((list) => batchOf(list));
        const given = batches.flatMap((batch) => spansOf(batch));
        await Promise.all(batches.map((batch) => processor.write(tenant, batch)));
        const byContent = (spans: readonly object[]) =>
          spans
            .map((one) =>
              JSON.stringify(one, (_, value) =>
                typeof value === 'bigint' ? String(value) : value,
              ),
            )
            .sort();
        assert.deepEqual(byContent(next.spans), byContent(given));
        assert.ok(next.writes.every(({ batch }) => batch.rows <= most));
      },
    ),
    { numRuns: 50 },
  );
});
