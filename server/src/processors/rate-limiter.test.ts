// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, parseTenant, type Tenant } from '@spoor/core/model/ids.ts';
import { resource, span } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { rateLimitingSchema } from '#config/rate-limiting-config.ts';
import { admitWithin } from '#pipeline/admission.ts';
import { RateLimiter } from './rate-limiter.ts';
import { countsOf, RecordingSink } from './testing/recording-sink.ts';

/** A limiter with a clock that the test moves. */
function limiter(given: object) {
  const next = new RecordingSink();
  const clock = { ms: 1000 };
  const config = rateLimitingSchema.parse(given);
  const parts = { name: 'rate_limiting', next };
  return { limiter: new RateLimiter(config, parts, () => clock.ms), next, clock };
}

/** Spans of services, in this order. */
function batch(...services: readonly string[]) {
  return batchOf(services.map((service) => span({ resource: resource(service) })));
}

/** Asks for a request of spans of these services: 0, or the time to wait that the refusal tells. */
function ask(
  limiters: RateLimiter | readonly RateLimiter[],
  services: readonly string[],
  tenant: Tenant = DEFAULT_TENANT,
) {
  const admit = admitWithin([limiters].flat().map(({ limit }) => limit));
  const { resource: codes, resources, rows } = batch(...services);
  try {
    admit(tenant, [{ resource: codes, resources, start: 0, end: rows }]);
    return 0;
  } catch (error) {
    assert.ok(error instanceof SpoorError && error.code === 'overloaded');
    return error.retryAfterMs;
  }
}

const many = (service: string, count: number) => Array<string>(count).fill(service);

test('a service may send its rate, a burst after a pause, and is told when to come again', () => {
  const { limiter: one, clock } = limiter({ per_service: { spans_per_second: 10, burst: 20 } });
  assert.equal(ask(one, many('a', 20)), 0);
  assert.equal(ask(one, many('a', 5)), 500);
  clock.ms += 499;
  assert.equal(ask(one, many('a', 5)), 1);
  clock.ms += 1;
  assert.equal(ask(one, many('a', 5)), 0);
  assert.equal(ask(one, many('b', 20)), 0);
  assert.equal(countsOf(one)['spoor_processor_refused_spans_total'], 10);
});

test('a request with one service over its limit is refused as a whole and costs the others nothing', () => {
  const { limiter: one } = limiter({ per_service: { spans_per_second: 10, burst: 10 } });
  assert.equal(ask(one, many('a', 10)), 0);
  assert.equal(ask(one, [...many('b', 10), 'a']), 100);
  assert.equal(ask(one, many('b', 10)), 0);
});

test('what a second limiter refuses costs the first one nothing, however often it comes', () => {
  const { limiter: first } = limiter({ per_service: { spans_per_second: 10, burst: 10 } });
  const { limiter: second } = limiter({ per_tenant: { spans_per_second: 1, burst: 5 } });
  assert.equal(ask([first, second], many('a', 5)), 0);
  for (let tries = 0; tries < 3; tries++) assert.equal(ask([first, second], many('a', 5)), 5000);
  assert.equal(ask(first, many('a', 5)), 0);
});

test('a request larger than a whole burst is taken when the bucket is full, and paid for afterwards', () => {
  const { limiter: one, clock } = limiter({ per_service: { spans_per_second: 10, burst: 10 } });
  assert.equal(ask(one, many('a', 30)), 0);
  assert.equal(ask(one, ['a']), 2100);
  clock.ms += 2100;
  assert.equal(ask(one, ['a']), 0);
});

test('the limit of a tenant holds for all its services together, and tenants have their own', () => {
  const { limiter: one } = limiter({ per_tenant: { spans_per_second: 10, burst: 10 } });
  const other = parseTenant('other');
  assert.equal(ask(one, [...many('a', 5), ...many('b', 5)]), 0);
  assert.equal(ask(one, ['c']), 100);
  assert.equal(ask(one, many('a', 10), other), 0);
});

test('services beyond the number with a limit of their own share one, and full buckets make room', () => {
  const config = { per_service: { spans_per_second: 10, burst: 10 }, max_services: 2 };
  const { limiter: one, clock } = limiter(config);
  assert.deepEqual([ask(one, ['a']), ask(one, ['b'])], [0, 0]);
  assert.equal(ask(one, many('c', 10)), 0);
  assert.equal(ask(one, ['d']), 100);
  clock.ms += 1000;
  assert.equal(ask(one, many('d', 10)), 0);
  assert.equal(ask(one, many('e', 10)), 0);
});

test('a wait that is told is a minute at most', () => {
  const { limiter: one } = limiter({ per_service: { spans_per_second: 0.01, burst: 1 } });
  assert.deepEqual([ask(one, ['a']), ask(one, ['a'])], [0, 60_000]);
});

test('what is beyond the limits can be dropped instead, in the order of the spans', async () => {
  const config = {
    per_service: { spans_per_second: 1, burst: 2 },
    per_tenant: { spans_per_second: 1, burst: 4 },
    on_limit: 'drop',
  };
  const { limiter: one, next } = limiter(config);
  assert.equal(ask(one, many('a', 100)), 0);
  await one.write(DEFAULT_TENANT, batch('a', 'b', 'a', 'a', 'b', 'c'));
  assert.deepEqual(
    next.spans.map(({ resource: { serviceName } }) => serviceName),
    ['a', 'b', 'a', 'b'],
  );
  assert.equal(countsOf(one)['spoor_processor_dropped_spans_total'], 2);
});

test('a batch within the limits goes on uncopied', async () => {
  for (const on_limit of ['drop', 'refuse']) {
    const { limiter: one, next } = limiter({ per_service: { spans_per_second: 10 }, on_limit });
    const given = batch('a', 'b');
    await one.write(DEFAULT_TENANT, given);
    assert.equal(next.writes[0]!.batch, given);
  }
});

test('whatever is asked for and when, no more passes than burst and rate allow, and nobody waits in vain', () => {
  const request = fc.record({
    afterMs: fc.nat(500),
    services: fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 12 }),
  });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 40 }), (requests) => {
      const [perSecond, burst] = [20, 10];
      const { limiter: one, clock } = limiter({
        per_service: { spans_per_second: perSecond, burst },
      });
      const startMs = clock.ms;
      const passed = { a: 0, b: 0 };
      for (const { afterMs, services } of requests) {
        clock.ms += afterMs;
        const waitMs = ask(one, services);
        if (waitMs !== 0) {
          clock.ms += waitMs!;
          // The services may have to wait for different times.
          const again = ask(one, services);
          if (again !== 0) {
            clock.ms += again!;
            assert.equal(ask(one, services), 0);
          }
        }
        for (const service of services) passed[service as 'a' | 'b']++;
        for (const count of Object.values(passed)) {
          // The last request may take more than a burst.
          const allowed = burst + ((clock.ms - startMs) * perSecond) / 1000;
          assert.ok(count <= allowed + 12 - 1);
        }
      }
    }),
    { numRuns: 100 },
  );
});
