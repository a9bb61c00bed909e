// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { ExportRequest } from '#exporters/sending/transport.ts';
import { requestOf, TestClock, turns, until } from '#exporters/testing/example-requests.ts';
import { FAULTS, FaultyFiles } from '#storage/columnar/testing/faulty-files.ts';
import { seededWords } from '#storage/columnar/testing/symbol-fixture.ts';
import { DiskQueue, type DiskQueueOptions } from './disk-queue.ts';
import { recordBytes } from './queue-record.ts';

const DIR = '/data/queue';

/** A server that can be away: it takes requests or lets them wait until they are given up. */
class Server {
  isUp = true;
  readonly taken: ExportRequest[] = [];
  #onUp: (() => void)[] = [];

  readonly send = async (request: ExportRequest, signal: AbortSignal): Promise<void> => {
    while (!this.isUp) {
      if (signal.aborted) throw new SpoorError('unavailable', 'away');
      await new Promise<void>((resolve) => {
        this.#onUp.push(resolve);
        signal.addEventListener('abort', () => resolve());
      });
    }
    this.taken.push({ ...request, body: request.body.slice() });
  };

  up(): void {
    this.isUp = true;
    for (const resolve of this.#onUp.splice(0)) resolve();
  }

  /** Whether it has a request, byte for byte. */
  has(request: ExportRequest): boolean {
    return this.taken.some(
      ({ tenant, spans, body }) =>
        tenant === request.tenant &&
        spans === request.spans &&
        Buffer.compare(body, request.body) === 0,
    );
  }
}

interface Bed {
  readonly queue: DiskQueue;
  readonly server: Server;
  readonly clock: TestClock;
  readonly log: string[];
}

function bed(
  files: FaultyFiles,
  given: Partial<DiskQueueOptions> = {},
  server = new Server(),
): Bed {
  const clock = new TestClock();
  const log: string[] = [];
  const write = (_: object, message: string): void => void log.push(message);
  const queue = new DiskQueue({
    path: 'exporters.otlp',
    files,
    dir: DIR,
    send: server.send,
    maxUnderWay: 3,
    capacityBytes: 64 * 1024,
    logger: { info: write, warn: write, error: write },
    later: clock.later,
    ...given,
  });
  return { queue, server, clock, log };
}

/** Shuts a queue down whose server takes everything. */
async function drained(queue: DiskQueue): Promise<void> {
  await queue.shutdown(1000);
}

/** Shuts a queue down that has no time left. */
async function cut({ queue, clock }: Bed): Promise<void> {
  const ended = queue.shutdown(1000);
  await clock.pass(1000);
  await ended;
}

function withCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SpoorError && error.code === code;
}

test('a request is on disk when it is safe, sent in order, and leaves nothing behind', async () => {
  const files = new FaultyFiles();
  const { queue, server } = bed(files, { maxUnderWay: 1 });
  await queue.start();
  server.isUp = false;
  for (let i = 0; i < 10; i++) await queue.put(requestOf(i));
  assert.ok(queue.figures.usedBytes >= 10 * recordBytes(requestOf(0)));
  server.up();
  await until(() => queue.figures.usedBytes === 0);
  await drained(queue);
  assert.deepEqual(
    server.taken.map(({ body }) => Buffer.from(body)),
    Array.from({ length: 10 }, (_, i) => Buffer.from(requestOf(i).body)),
  );
  assert.deepEqual(files.paths(), []);
});

test('puts of one moment share a write and a sync', async () => {
  const files = new FaultyFiles();
  const { queue } = bed(files);
  await queue.start();
  await Promise.all(Array.from({ length: 10 }, (_, i) => queue.put(requestOf(i))));
  assert.equal(files.log.filter((call) => call.startsWith('fdatasync')).length, 1);
  await drained(queue);
});

test('what no server took is sent after the next start, and what one took is not', async () => {
  const files = new FaultyFiles();
  const first = bed(files, { maxUnderWay: 1 });
  await first.queue.start();
  for (let i = 0; i < 3; i++) await first.queue.put(requestOf(i));
  await until(() => first.server.taken.length === 3);
  first.server.isUp = false;
  for (let i = 3; i < 6; i++) await first.queue.put(requestOf(i));
  await cut(first);
  assert.equal(first.server.taken.length, 3);

  const second = bed(files);
  await second.queue.start();
  await drained(second.queue);
  assert.equal(second.server.taken.length, 3);
  for (let i = 3; i < 6; i++) assert.ok(second.server.has(requestOf(i)));
  assert.deepEqual(files.paths(), []);
  assert.match(second.log[0]!, /bytes of before the start are sent/);
});

test('a full queue refuses, with a hint, until a segment of it was sent', async () => {
  const { queue, server } = bed(new FaultyFiles());
  await queue.start();
  server.isUp = false;
  let count = 0;
  const refusal = await (async () => {
    for (;;) {
      try {
        await queue.put(requestOf(count, 2000));
        count++;
      } catch (error) {
        return error;
      }
    }
  })();
  assert.ok(refusal instanceof SpoorError && refusal.code === 'overloaded');
  assert.ok(refusal.retryAfterMs !== undefined);
  assert.ok(count > 25 && count < 33, `${count} of 2 kB in 64 KiB`);
  assert.ok(queue.figures.usedBytes <= queue.figures.capacityBytes);
  await assert.rejects(queue.put(requestOf(1, 100_000)), withCode('too_large'));
  server.up();
  await until(() => server.taken.length === count);
  await turns();
  await queue.put(requestOf(count, 2000));
  await drained(queue);
});

test('what was sent takes no room from a request that is nearly as large as the queue', async () => {
  const files = new FaultyFiles();
  const { queue, server } = bed(files);
  await queue.start();
  const sizes = [5000, 60_000, 40_000, 40_000, 60_000, 1000, 62_000];
  for (const [i, bytes] of sizes.entries()) {
    await queue.put(requestOf(i, bytes));
    await until(() => server.taken.length === i + 1);
    await turns();
  }
  await drained(queue);
  assert.deepEqual(files.paths(), []);
});

test('a request that no server will ever take goes, one that may be taken stays', async () => {
  const files = new FaultyFiles();
  const answers = [
    new SpoorError('malformed', 'no'),
    new SpoorError('unavailable', 'not now'),
    undefined,
  ];
  let asked = 0;
  const { queue, clock } = bed(files, {
    send: () => {
      const error = answers[asked++];
      return error === undefined ? Promise.resolve() : Promise.reject(error);
    },
  });
  await queue.start();
  await queue.put(requestOf(1));
  await until(() => asked === 1);
  await queue.put(requestOf(2));
  await until(() => asked === 2);
  await clock.pass(1000);
  await until(() => asked === 3);
  await drained(queue);
  assert.deepEqual(files.paths(), []);
});

test('a torn end is passed over, and whole requests behind damage are found', async () => {
  const files = new FaultyFiles();
  const first = bed(files);
  await first.queue.start();
  first.server.isUp = false;
  await Promise.all([1, 2, 3].map((i) => first.queue.put(requestOf(i))));
  await cut(first);
  const [path] = files.paths();
  const bytes = files.content(path!);
  const size = recordBytes(requestOf(1));
  bytes[size + 40]! ^= 1;
  files.put(path!, Buffer.concat([bytes, bytes.subarray(0, size - 8)]));

  const second = bed(files);
  await second.queue.start();
  await drained(second.queue);
  assert.deepEqual(
    [1, 2, 3].map((i) => second.server.has(requestOf(i))),
    [true, false, true],
  );
  assert.equal(second.server.taken.length, 2);
  assert.match(second.log.join('\n'), new RegExp(`: ${2 * size - 8} bytes were no whole requests`));
  assert.deepEqual(files.paths(), []);
});

test('a disk that is full refuses, leaves no file for each refusal, and takes again when there is room', async () => {
  const files = new FaultyFiles();
  const { queue, server } = bed(files);
  await queue.start();
  server.isUp = false;
  await queue.put(requestOf(0));
  files.failEach('writev', 'ENOSPC');
  for (let i = 1; i < 5; i++) {
    await assert.rejects(queue.put(requestOf(i)), withCode('unavailable'));
  }
  assert.equal(files.paths().length, 1);
  files.heal();
  await queue.put(requestOf(5));
  server.up();
  await drained(queue);
  assert.deepEqual([server.has(requestOf(0)), server.has(requestOf(5))], [true, true]);
});

test('a file that cannot be read for a moment is read later, and holds up no others', async () => {
  const files = new FaultyFiles();
  const { queue, server, clock } = bed(files, { maxUnderWay: 1 });
  await queue.start();
  server.isUp = false;
  await queue.put(requestOf(0));
  await queue.put(requestOf(1));
  const [path] = files.paths();
  files.failEach('read', 'EIO', path!);
  for (let i = 2; i < 12; i++) await queue.put(requestOf(i, 1000));
  server.up();
  await until(() => server.has(requestOf(11, 1000)));
  assert.ok(!server.has(requestOf(1)));
  files.heal();
  await clock.pass(1000);
  await until(() => server.has(requestOf(1)));
  await drained(queue);
});

test('two processes do not share a directory', async () => {
  const files = new FaultyFiles();
  const first = bed(files);
  await first.queue.start();
  await assert.rejects(bed(files).queue.start(), withCode('unavailable'));
  await drained(first.queue);
  await assert.rejects(first.queue.put(requestOf(1)), withCode('unavailable'));
});

/** Puts requests in rounds while the server comes and goes; tells which of them were acknowledged. */
async function live(
  one: Bed,
  acknowledged: ExportRequest[],
  numbers: { next: number },
  random: () => number,
): Promise<void> {
  const { queue, server } = one;
  await queue.start();
  for (let round = 0; round < 4; round++) {
    if (random() % 2 === 0) server.up();
    else server.isUp = false;
    const puts = Array.from({ length: 1 + (random() % 4) }, async () => {
      const request = requestOf(numbers.next++, random() % 3000);
      await queue.put(request);
      acknowledged.push(request);
    });
    await Promise.allSettled(puts);
    await turns(random() % 10);
  }
}

test('whatever file call fails, what was acknowledged is sent, with the same bytes', async () => {
  const history = async (files: FaultyFiles, fail?: () => void): Promise<string[]> => {
    const acknowledged: ExportRequest[] = [];
    const first = bed(files);
    fail?.();
    await live(first, acknowledged, { next: 0 }, seededWords(5)).catch(() => undefined);
    files.heal();
    first.server.up();
    // What cannot be read for a while is read later.
    await turns();
    await first.clock.pass(1000);
    const ended = first.queue.shutdown(1000);
    await turns();
    await first.clock.pass(1000);
    await ended;
    const second = bed(files, {}, first.server);
    await second.queue.start();
    await drained(second.queue);
    return acknowledged
      .filter((request) => !first.server.has(request))
      .map(({ body }) => Buffer.from(body).toString('latin1'));
  };
  const clean = new FaultyFiles();
  assert.deepEqual(await history(clean), []);
  for (const kind of FAULTS) {
    for (let call = 1; call <= clean.calls; call++) {
      const files = new FaultyFiles();
      assert.deepEqual(
        await history(files, () => files.failAt(call, kind)),
        [],
        `${kind} at ${call}: ${clean.log[call - 1]}`,
      );
    }
  }
});

test('power lost at any moment with any mix of sectors written: what was acknowledged is sent', async () => {
  let count = 0;
  for (let seed = 1; seed <= 120; seed++) {
    const random = seededWords(seed);
    const server = new Server();
    const acknowledged: ExportRequest[] = [];
    const numbers = { next: 0 };
    let files = new FaultyFiles();
    for (let life = random() % 3; life >= 0; life--) {
      files.failAt(1 + (random() % 60), 'EIO', true);
      const one = bed(files, {}, server);
      await live(one, acknowledged, numbers, random).catch(() => undefined);
      if (random() % 3 === 0) await cut(one);
      // A kill leaves all that was written, the loss of power a part of it.
      const isKilled = random() % 3 === 0;
      const before = files;
      files = files.powerLoss(isKilled ? { keep: 'all' } : { chance: () => random() / 2 ** 32 });
      before.heal();
      await cut(one);
    }
    server.up();
    const last = bed(files, {}, server);
    await last.queue.start();
    await drained(last.queue);
    for (const request of acknowledged) assert.ok(server.has(request), `seed ${seed}`);
    count += acknowledged.length;
    assert.deepEqual(files.paths(), [], `seed ${seed}`);
  }
  assert.ok(count > 500, `${count} acknowledged`);
});
