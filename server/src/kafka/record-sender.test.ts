// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { RecordSender } from './record-sender.ts';

interface Rec {
  readonly name: string;
  readonly bytes: number;
}

/** A sender whose requests are answered by hand. */
class Bench {
  readonly requests: { names: string; answer: (error?: Error) => void }[] = [];
  readonly sender = new RecordSender<Rec>(
    (records) =>
      new Promise((resolve, reject) => {
        const names = records.map(({ name }) => name).join(' ');
        this.requests.push({
          names,
          answer: (error) => (error === undefined ? resolve() : reject(error)),
        });
      }),
    100,
  );

  readonly abort = new AbortController();
  #answered = 0;

  /** Whether a request was sent and not answered. */
  get isWaiting(): boolean {
    return this.#answered < this.requests.length;
  }

  write(...names: string[]): Promise<void> {
    return this.sender.write(
      names.map((name) => ({ name, bytes: 40 })),
      this.abort.signal,
    );
  }

  /** Answers the request under way and lets the next one begin. */
  async answer(error?: Error): Promise<void> {
    this.#answered = this.requests.length;
    this.requests.at(-1)!.answer(error);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const unavailable = new SpoorError('unavailable', 'no broker');

test('what comes while a request is under way goes with the next, up to its size, in order', async () => {
  const bench = new Bench();
  const writes = [bench.write('a'), bench.write('b', 'c'), bench.write('d')];
  await bench.answer();
  await bench.answer();
  await bench.answer();
  await Promise.all(writes);
  assert.deepEqual(
    bench.requests.map(({ names }) => names),
    ['a', 'b c', 'd'],
  );
});

test('a write is done when all its records are acknowledged', async () => {
  const bench = new Bench();
  let isDone = false;
  const write = bench.write('a', 'b', 'c').then(() => (isDone = true));
  await bench.answer();
  assert.equal(isDone, false);
  await bench.answer();
  await write;
});

test('when there is no broker all that waits is given back', async () => {
  const bench = new Bench();
  const writes = [bench.write('a', 'b', 'c'), bench.write('d')];
  const outcomes = Promise.allSettled(writes);
  await bench.answer(unavailable);
  assert.deepEqual(
    (await outcomes).map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(bench.requests.length, 1);
  const later = bench.write('e');
  await bench.answer();
  await later;
});

test('a record that the broker takes never fails its write, and no others', async () => {
  const bench = new Bench();
  const writes = [bench.write('a'), bench.write('b', 'c'), bench.write('d')];
  const outcomes = Promise.allSettled(writes);
  await bench.answer();
  while (bench.isWaiting) {
    const isTooLarge = bench.requests.at(-1)!.names.includes('c');
    await bench.answer(isTooLarge ? new SpoorError('too_large', 'too large') : undefined);
  }
  assert.deepEqual(
    (await outcomes).map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(
    bench.requests.map(({ names }) => names),
    ['a', 'b c', 'b', 'c', 'd'],
  );
});

test('the other records of a write with one that is too large are sent before it fails', async () => {
  const bench = new Bench();
  const outcome = assert.rejects(bench.write('a', 'b', 'c', 'd'), { code: 'too_large' });
  while (bench.isWaiting) {
    const isTooLarge = bench.requests.at(-1)!.names.includes('a');
    await bench.answer(isTooLarge ? new SpoorError('too_large', 'too large') : undefined);
  }
  await outcome;
  assert.deepEqual(
    bench.requests.map(({ names }) => names),
    ['a b', 'a', 'b', 'c', 'd'],
  );
});

test('requests stay as small as a broker wants them', async () => {
  const bench = new Bench();
  const writes = [bench.write('a', 'b')];
  await bench.answer(new SpoorError('too_large', 'too large'));
  writes.push(bench.write('c', 'd'));
  while (bench.isWaiting) await bench.answer();
  await Promise.all(writes);
  assert.deepEqual(
    bench.requests.map(({ names }) => names),
    ['a b', 'a', 'b', 'c', 'd'],
  );
});

test('of a write that is given up nothing more is sent', async () => {
  const bench = new Bench();
  const outcomes = Promise.allSettled([bench.write('a'), bench.write('b', 'c', 'd')]);
  await bench.answer();
  bench.abort.abort();
  const [first, second] = await outcomes;
  assert.equal(first!.status, 'fulfilled');
  assert.equal(second!.status === 'rejected' && second.reason.code, 'unavailable');
  await bench.answer();
  assert.equal(bench.isWaiting, false);
  assert.deepEqual(
    bench.requests.map(({ names }) => names),
    ['a', 'b c'],
  );
  await assert.rejects(bench.write('e'), { code: 'unavailable' });
  assert.equal(bench.requests.length, 2);
});
