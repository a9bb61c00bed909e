// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { requestDigest } from './request-digest.ts';
import { RequestMemory } from './request-memory.ts';

const MINUTE_MS = 60_000;

function digest(text: string): Buffer {
  return requestDigest(DEFAULT_TENANT, 'otlp_proto', Buffer.from(text));
}

const answer = (accepted: number) => Promise.resolve({ accepted, rejected: 0, message: '' });

test('an answer is known for fifteen minutes', async () => {
  let nowMs = 0;
  const memory = new RequestMemory(() => nowMs);
  memory.put(digest('a'), answer(1));
  nowMs = 15 * MINUTE_MS - 1;
  assert.deepEqual(await memory.get(digest('a')), await answer(1));
  assert.equal(memory.get(digest('b')), undefined);
  nowMs++;
  assert.equal(memory.get(digest('a')), undefined);
});

test('what is too old is forgotten when something new comes', () => {
  let nowMs = 0;
  const memory = new RequestMemory(() => nowMs);
  for (let i = 0; i < 100; i++) {
    nowMs = i * MINUTE_MS;
    memory.put(digest(String(i)), answer(i));
    assert.ok(memory.size <= 15);
  }
  assert.equal(memory.size, 15);
});

test('an answer that came before a restart counts from when it was given', async () => {
  let nowMs = 100 * MINUTE_MS;
  const memory = new RequestMemory(() => nowMs);
  memory.put(digest('old'), answer(1), nowMs - 16 * MINUTE_MS);
  memory.put(digest('known'), answer(2), nowMs - 14 * MINUTE_MS);
  assert.equal(memory.get(digest('old')), undefined);
  assert.equal((await memory.get(digest('known')))?.accepted, 2);
  nowMs += MINUTE_MS;
  assert.equal(memory.get(digest('known')), undefined);
});

test('a request that failed is forgotten, unless it was answered anew', async () => {
  const memory = new RequestMemory(() => 0);
  const failed = Promise.reject(new Error('full'));
  memory.put(digest('a'), failed);
  assert.equal(memory.get(digest('a')), failed);
  await assert.rejects(failed);
  assert.equal(memory.get(digest('a')), undefined);
  assert.equal(memory.size, 0);
  const { promise, reject } = Promise.withResolvers<never>();
  memory.put(digest('b'), promise);
  memory.put(digest('b'), answer(5));
  reject(new Error('full'));
  await assert.rejects(promise);
  assert.equal((await memory.get(digest('b')))?.accepted, 5);
});

test('so many requests are known and no more, the oldest go first', () => {
  const memory = new RequestMemory(() => 0, 10);
  for (let i = 0; i < 15; i++) memory.put(digest(String(i)), answer(i));
  // What is given anew is new again.
  memory.put(digest('5'), answer(5));
  memory.put(digest('15'), answer(15));
  assert.equal(memory.size, 10);
  const known = Array.from({ length: 16 }, (_, i) => i).filter(
    (i) => memory.get(digest(String(i))) !== undefined,
  );
  assert.deepEqual(known, [5, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
});

test('requests that meet in half of their digests are not taken for each other', async () => {
  const memory = new RequestMemory(() => 0);
  const one = Buffer.alloc(16, 7);
  const other = Buffer.from(one).fill(8, 8);
  memory.put(one, answer(1));
  assert.equal(memory.get(other), undefined);
  memory.put(other, answer(2));
  assert.equal((await memory.get(other))?.accepted, 2);
  assert.equal(memory.get(one), undefined);
  assert.equal(memory.size, 1);
});
