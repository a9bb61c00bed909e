// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { parseTenant } from '@spoor/core/model/ids.ts';
import { TenantTurns } from './tenant-turns.ts';

const [NOISY, QUIET, THIRD] = ['noisy', 'quiet', 'third'].map(parseTenant) as [never, never, never];

/** Asks questions that end when they are told to, and notes the order in which they began. */
class Questions {
  readonly turns = new TenantTurns();
  readonly begun: string[] = [];
  readonly ends: (() => void)[] = [];

  ask(name: string, tenant: never, signal?: AbortSignal, hadTurn = false): Promise<string> {
    const ask = (): Promise<string> => {
      this.begun.push(name);
      return new Promise((resolve) => this.ends.push(() => resolve(name)));
    };
    return this.turns.take(tenant, signal, ask, hadTurn);
  }

  /** Ends the oldest question that runs, and lets what waited begin. */
  async endOne(): Promise<void> {
    this.ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('a tenant that asks much waits for itself, and others are asked in turn', async () => {
  const questions = new Questions();
  const answers = Array.from({ length: 10 }, (_, i) => questions.ask(`n${i}`, NOISY));
  answers.push(questions.ask('q0', QUIET), questions.ask('q1', QUIET), questions.ask('t0', THIRD));
  assert.deepEqual(questions.begun, ['n0', 'n1']);
  while (questions.ends.length > 0) await questions.endOne();
  assert.deepEqual(questions.begun.join(' '), 'n0 n1 n2 q0 t0 n3 q1 n4 n5 n6 n7 n8 n9');
  assert.equal((await Promise.all(answers)).length, 13);
});

test('a question that is given up leaves its place, and one that fails hands it on', async () => {
  const questions = new Questions();
  const running = [questions.ask('a', NOISY), questions.ask('b', NOISY)];
  const controller = new AbortController();
  const given = questions.ask('c', NOISY, controller.signal);
  const kept = questions.ask('d', NOISY);
  controller.abort();
  const isCancelled = (error: unknown): boolean =>
    error instanceof SpoorError && error.code === 'cancelled';
  await assert.rejects(given, isCancelled);
  await assert.rejects(questions.ask('e', NOISY, controller.signal), isCancelled);
  await questions.endOne();
  assert.deepEqual(questions.begun, ['a', 'b', 'd']);
  await questions.endOne();
  await questions.endOne();
  await Promise.all([...running, kept]);
  const failing = questions.turns.take(QUIET, undefined, () => Promise.reject(new Error('no')));
  await assert.rejects(failing, /no/);
  const last = questions.ask('f', QUIET);
  await questions.endOne();
  assert.equal(await last, 'f');
});

test('an abort in the moment in which the turn comes hands it on, and takes nobody else out of the queue', async () => {
  const questions = new Questions();
  const controller = new AbortController();
  const answers = [questions.ask('a', NOISY), questions.ask('b', NOISY)];
  const aborted = assert.rejects(questions.ask('c', NOISY, controller.signal), /nobody waits/);
  answers.push(questions.ask('d', NOISY));
  questions.ends.shift()?.();
  await answers[0];
  controller.abort();
  await aborted;
  while (questions.ends.length > 0) await questions.endOne();
  assert.deepEqual(questions.begun, ['a', 'b', 'd']);
  await Promise.all(answers);
});

test('a thousand questions of a tenant may wait; one more is refused for now, but not one that was stopped for others', async () => {
  const questions = new Questions();
  const answers = Array.from({ length: 1002 }, (_, i) => questions.ask(`${i}`, NOISY));
  await assert.rejects(
    questions.ask('more', NOISY),
    (error) => error instanceof SpoorError && error.code === 'overloaded',
  );
  answers.push(questions.ask('other', QUIET));
  // It was taken before.
  answers.push(questions.ask('stopped', NOISY, undefined, true));
  while (questions.ends.length > 0) await questions.endOne();
  assert.equal((await Promise.all(answers)).length, 1004);
  assert.equal(questions.begun.at(-1), 'stopped');
});
