// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { OddReply, OddRequest } from './testing/odd-worker.ts';
import { WorkerClient } from './worker-client.ts';

const SCRIPT = new URL('./testing/odd-worker.ts', import.meta.url);

class ClientFixture {
  starts = 0;
  greet: () => unknown = () => `start ${++this.starts}`;
  /** What is to be done when the worker was idle, or was asked to end, for long enough. */
  onIdle: (() => void) | undefined;
  /** In how many ms. */
  delayMs = 0;
  readonly client = new WorkerClient<OddRequest, OddReply>(
    SCRIPT,
    { maxHeapMib: 64, greeting: () => this.greet(), idleMs: 1000, stopMs: 700 },
    (action, delayMs) => {
      this.onIdle = action;
      this.delayMs = delayMs;
      return () => (this.onIdle = undefined);
    },
  );

  ask(what: OddRequest['do']): Promise<OddReply> {
    return this.client.request((id) => ({ id, do: what }));
  }
}

async function withClient(body: (fixture: ClientFixture) => Promise<void>): Promise<void> {
  const fixture = new ClientFixture();
  try {
    await body(fixture);
  } finally {
    await fixture.client.close();
  }
}

function internal(pattern: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof SpoorError && error.code === 'internal' && pattern.test(error.message);
}

test('a worker is started with the first request, and hears first what it must know', () =>
  withClient(async (fixture) => {
    // Nobody is there to hear it: the next worker is told by its greeting.
    fixture.client.notify('too early');
    assert.equal(fixture.starts, 0);
    const asked = [fixture.ask('echo'), fixture.ask('echo')];
    fixture.client.notify('later');
    const [first, second] = await Promise.all(asked);
    assert.deepEqual([first!.told, second!.told], [['start 1'], ['start 1']]);
    assert.notEqual(first!.id, second!.id);
    assert.deepEqual((await fixture.ask('echo')).told, ['start 1', 'later']);
  }));

test('a request that is not answered does not keep others from their answers', () =>
  withClient(async (fixture) => {
    const held = assert.rejects(fixture.ask('hold'), /stopping/);
    assert.deepEqual((await fixture.ask('echo')).told, ['start 1']);
    await fixture.client.close();
    await held;
  }));

test('a worker that has nothing to do for a while is ended, and the next request starts another', () =>
  withClient(async (fixture) => {
    const held = fixture.ask('hold');
    await fixture.ask('echo');
    assert.equal(fixture.onIdle, undefined, 'one request is under way');
    await assert.rejects(Promise.all([held, fixture.ask('throw')]));
    await fixture.ask('echo');
    assert.notEqual(fixture.onIdle, undefined);
    const next = fixture.ask('echo');
    assert.equal(fixture.onIdle, undefined, 'it has something to do again');
    assert.deepEqual((await next).told, ['start 2']);
    fixture.onIdle!();
    assert.deepEqual((await fixture.ask('echo')).told, ['start 3']);
  }));

test('when a worker dies all that it was asked is rejected, and the next request starts another', () =>
  withClient(async (fixture) => {
    for (const [way, pattern] of [
      ['throw', /^odd-worker\.ts: out of luck$/],
      ['exit', /^odd-worker\.ts: ended with code 3$/],
    ] as const) {
      const before = fixture.starts;
      const asked = [fixture.ask('hold'), fixture.ask(way), fixture.ask('echo')];
      await Promise.all(asked.map((one) => assert.rejects(one, internal(pattern))));
      const { told } = await fixture.ask('echo');
      assert.deepEqual(told, [`start ${before + 2}`]);
      assert.equal(fixture.starts, before + 2);
      await assert.rejects(fixture.ask('throw'));
    }
  }));

test('what cannot be sent is told to the one who asked, and others are served', () =>
  withClient(async (fixture) => {
    const odd = fixture.client.request((id) => ({ id, do: 'echo', odd: () => {} }) as OddRequest);
    await assert.rejects(odd, /could not be cloned/);
    assert.deepEqual((await fixture.ask('echo')).told, ['start 1']);
  }));

test('a request that cannot be sent leaves the worker to end when it has nothing to do', () =>
  withClient(async (fixture) => {
    await fixture.ask('echo');
    const fail = (): never => assert.fail('no request');
    await assert.rejects(fixture.client.request(fail), /no request/);
    const odd = fixture.client.request((id) => ({ id, do: 'echo', odd: () => {} }) as OddRequest);
    await assert.rejects(odd, /could not be cloned/);
    assert.notEqual(fixture.onIdle, undefined);
    fixture.onIdle!();
    assert.deepEqual((await fixture.ask('echo')).told, ['start 2']);
    const held = assert.rejects(fixture.ask('hold'), /stopping/);
    await assert.rejects(fixture.client.request(fail), /no request/);
    assert.equal(fixture.onIdle, undefined, 'one request is under way');
    await fixture.client.close();
    await held;
  }));

test('a worker that cannot be greeted is asked nothing, and the next request starts another', () =>
  withClient(async (fixture) => {
    const { greet } = fixture;
    fixture.greet = () => assert.fail('nothing to say');
    await assert.rejects(fixture.ask('echo'), /nothing to say/);
    fixture.greet = () => () => {};
    await assert.rejects(fixture.ask('echo'), /could not be cloned/);
    assert.equal(fixture.onIdle, undefined, 'there is none to end');
    fixture.greet = greet;
    assert.deepEqual((await fixture.ask('echo')).told, ['start 1']);
  }));

test('when an answer cannot be read the worker is ended, and all that it was asked is rejected', () =>
  withClient(async (fixture) => {
    const asked = [fixture.ask('hold'), fixture.ask('nest'), fixture.ask('echo')];
    const pattern = /^odd-worker\.ts: an answer cannot be read: Maximum call stack/;
    await Promise.all(asked.map((one) => assert.rejects(one, internal(pattern))));
    assert.deepEqual((await fixture.ask('echo')).told, ['start 2']);
  }));

test('closing ends the worker and rejects what it was asked', async () => {
  const fixture = new ClientFixture();
  await fixture.client.close();
  const asked = assert.rejects(
    fixture.ask('hold'),
    (error) => error instanceof SpoorError && error.code === 'unavailable',
  );
  await fixture.client.close();
  await asked;
  await fixture.client.close();
});

test('closing breaks off what the worker is doing, from within', async () => {
  const fixture = new ClientFixture();
  await fixture.ask('echo');
  const asked = assert.rejects(fixture.ask('work'), /server is stopping/);
  await fixture.client.close();
  assert.equal(fixture.onIdle, undefined, 'it did not have to be ended from outside');
  await asked;
  await assert.rejects(fixture.ask('echo'), /server is stopping/);
  assert.equal(fixture.starts, 1);
});

test('a worker that does not come to an end is ended from outside after a while', async () => {
  const fixture = new ClientFixture();
  await fixture.ask('echo');
  const asked = assert.rejects(fixture.ask('hang'), /server is stopping/);
  const closing = fixture.client.close();
  assert.notEqual(fixture.onIdle, undefined);
  assert.equal(fixture.delayMs, 700);
  fixture.onIdle!();
  await closing;
  await asked;
});
