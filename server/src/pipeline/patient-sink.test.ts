// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { span } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { PatientSink } from './patient-sink.ts';

/** A sink that refuses with these errors in turn, and the pauses that were made. */
function bed(...errors: readonly Error[]) {
  const left = [...errors];
  const pausesMs: number[] = [];
  const next = {
    writes: 0,
    write: (): Promise<void> => {
      next.writes++;
      const error = left.shift();
      return error === undefined ? Promise.resolve() : Promise.reject(error);
    },
  };
  const ended = Promise.withResolvers<never>();
  const pauses = { hold: false };
  const sink = new PatientSink(next, (ms, signal) => {
    pausesMs.push(ms);
    signal.addEventListener('abort', () => ended.reject(new Error('aborted')));
    return pauses.hold ? ended.promise : Promise.resolve();
  });
  const write = (): Promise<void> => sink.write(DEFAULT_TENANT, batchOf([span({})]));
  return { sink, next, pausesMs, pauses, write };
}

const away = (retryAfterMs?: number): SpoorError =>
  new SpoorError('unavailable', 'away', retryAfterMs === undefined ? {} : { retryAfterMs });

test('a batch is written again until it is taken, after the pauses that are asked for', async () => {
  const { next, pausesMs, write } = bed(away(), away(5000), new SpoorError('overloaded', 'full'));
  await write();
  assert.equal(next.writes, 4);
  assert.deepEqual(pausesMs, [1000, 5000, 1000]);
});

test('what will never be taken is given back', async () => {
  const { next, write } = bed(away(), new SpoorError('malformed', 'no span'));
  await assert.rejects(write(), { code: 'malformed' });
  assert.equal(next.writes, 2);
});

test('at the end what waits is given up, and nothing waits any more', async () => {
  const { sink, pauses, write, next } = bed(away(), away());
  pauses.hold = true;
  const ended = assert.rejects(write(), { code: 'unavailable' });
  await new Promise((resolve) => setImmediate(resolve));
  sink.close();
  await ended;
  await assert.rejects(write(), { code: 'unavailable' });
  assert.equal(next.writes, 2);
});
