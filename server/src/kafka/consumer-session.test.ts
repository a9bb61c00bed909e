// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { ConsumerSession } from './consumer-session.ts';
import type { KafkaRecord } from './dead-letters.ts';
import type { KafkaLibrary } from './kafka-client.ts';

/** What a session does with the client library, done by hand. */
class FakeConsumer extends EventEmitter {
  static last: FakeConsumer;
  readonly stream = Object.assign(new PassThrough({ objectMode: true }), {
    offsetsToFetch: new Map<string, bigint>(),
  });
  readonly commits: bigint[] = [];
  readonly close = (): Promise<void> => Promise.resolve();
  readonly listOffsets = (): Promise<Map<string, bigint[]>> => Promise.resolve(new Map());
  readonly consume = (): Promise<PassThrough> => Promise.resolve(this.stream);

  constructor() {
    super();
    FakeConsumer.last = this;
  }

  commit({ offsets }: { offsets: readonly { offset: bigint }[] }): Promise<void> {
    this.commits.push(...offsets.map(({ offset }) => offset));
    return Promise.resolve();
  }

  /** The group is shared anew. */
  join(generationId: number, ...partitions: number[]): void {
    const assignments = partitions.length === 0 ? [] : [{ topic: 'spans', partitions }];
    this.emit('consumer:group:join', { generationId, assignments });
  }

  /** A record comes, and what can be done with it is done. */
  async give(offset: bigint, generationId: number): Promise<void> {
    const metadata = { consumer: { generationId } };
    this.stream.write({ topic: 'spans', partition: 0, offset, leaderEpoch: 0, metadata });
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A session whose records are done by hand. */
function bench() {
  const taken: { offset: bigint; end: () => void }[] = [];
  const session = new ConsumerSession(
    {
      topics: ['spans'],
      groupId: 'spoor',
      groupInstanceId: undefined,
      initialOffset: 'earliest',
      sessionTimeoutMs: 45_000,
      heartbeatIntervalMs: 3000,
      partitionFetchBytes: 1 << 20,
      fetchBytes: 1 << 20,
      maxFetchWaitMs: 100,
      commitIntervalMs: 1 << 30,
    },
    {
      path: 'receivers.kafka',
      // Nothing else of it is used.
      library: { Consumer: FakeConsumer } as unknown as KafkaLibrary,
      options: { clientId: 'spoor', bootstrapBrokers: [] },
      take: ({ offset }: KafkaRecord) =>
        new Promise((resolve) => {
          taken.push({ offset, end: () => resolve(true) });
        }),
      waiting: () => 0,
      logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
    },
  );
  const running = session.run();
  const consumer = FakeConsumer.last;
  const end = async (): Promise<void> => {
    await session.end(0);
    consumer.stream.destroy();
    await running;
  };
  return { consumer, taken, end };
}

test('what is committed is behind all that is done, also when nothing is ended in order', async () => {
  const { consumer, taken, end } = bench();
  consumer.join(1, 0);
  for (const offset of [10n, 11n, 12n]) await consumer.give(offset, 1);
  taken[0]!.end();
  taken[2]!.end();
  await end();
  assert.deepEqual(consumer.commits, [11n]);
});

test('a partition that was lost and is ours again begins with what is fetched from then on', async () => {
  const { consumer, taken, end } = bench();
  consumer.join(1, 0);
  await consumer.give(10n, 1);
  consumer.stream.offsetsToFetch.set('spans:0', 12n);
  consumer.join(2);
  assert.equal(consumer.stream.offsetsToFetch.size, 0);
  consumer.join(3, 0);
  // It was fetched before, and those before it are not done.
  await consumer.give(11n, 1);
  for (const offset of [10n, 11n]) await consumer.give(offset, 3);
  assert.deepEqual(
    taken.map(({ offset }) => offset),
    [10n, 10n, 11n],
  );
  taken[2]!.end();
  await end();
  assert.deepEqual(consumer.commits, []);
});
