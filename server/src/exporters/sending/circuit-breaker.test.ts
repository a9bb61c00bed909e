// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { Backoff } from './backoff.ts';
import { CircuitBreaker } from './circuit-breaker.ts';

function bed(): { breaker: CircuitBreaker; clock: { ms: number }; fail: (hint?: number) => void } {
  const clock = { ms: 0 };
  const settings = { failureThreshold: 3, openMs: 1000, maxOpenMs: 3000 };
  const breaker = new CircuitBreaker(settings, () => clock.ms);
  return { breaker, clock, fail: (hint) => breaker.enter()!.fail(hint) };
}

test('a breaker opens after failures in a row, and a success between them counts them anew', () => {
  const { breaker, fail } = bed();
  fail();
  fail();
  breaker.enter()!.succeed();
  fail();
  fail();
  assert.equal(breaker.state, 'closed');
  fail();
  assert.equal(breaker.state, 'open');
  assert.equal(breaker.enter(), undefined);
  assert.equal(breaker.retryAfterMs, 1000);
  assert.equal(breaker.opened, 1);
});

test('after its pause one try passes, and decides', () => {
  const { breaker, clock, fail } = bed();
  for (let i = 0; i < 3; i++) fail();
  const pauses: number[] = [];
  for (let i = 0; i < 4; i++) {
    pauses.push(breaker.retryAfterMs);
    clock.ms += breaker.retryAfterMs;
    assert.equal(breaker.state, 'half_open');
    const attempt = breaker.enter();
    assert.equal(breaker.enter(), undefined);
    assert.equal(breaker.isPassable, false);
    attempt!.fail();
    assert.equal(breaker.state, 'open');
  }
  assert.deepEqual(pauses, [1000, 2000, 3000, 3000]);
  clock.ms += 3000;
  breaker.enter()!.succeed();
  assert.equal(breaker.state, 'closed');
  for (let i = 0; i < 3; i++) fail();
  assert.equal(breaker.retryAfterMs, 1000);
  assert.equal(breaker.opened, 6);
});

test('a try that is given up leaves its place to the next', () => {
  const { breaker, clock, fail } = bed();
  for (let i = 0; i < 3; i++) fail();
  clock.ms += 1000;
  breaker.enter()!.cancel();
  assert.equal(breaker.state, 'half_open');
  assert.ok(breaker.enter());
});

test('a hint of the server makes the pause longer, and requests from before it opened do not', () => {
  const { breaker, fail } = bed();
  const early = breaker.enter()!;
  fail();
  fail();
  fail(20_000);
  assert.equal(breaker.retryAfterMs, 20_000);
  early.fail(90_000);
  assert.equal(breaker.retryAfterMs, 20_000);
  assert.equal(breaker.opened, 1);
});

test('pauses between tries are drawn below a bound that grows, and are never shorter than asked', () => {
  const settings = { initialIntervalMs: 100, maxIntervalMs: 500, multiplier: 2 };
  const high = new Backoff(settings, () => 0.999);
  const pauses = Array.from({ length: 5 }, () => Math.round(high.next()));
  assert.deepEqual(pauses, [100, 200, 400, 500, 500]);
  const low = new Backoff(settings, () => 0);
  assert.equal(low.next(), 0);
  assert.equal(low.next(3000), 3000);
});
