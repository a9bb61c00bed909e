// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
import { resource, span } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { ServiceCounters } from './service-counters.ts';
import { RecordingSink, spansOf } from './testing/recording-sink.ts';

const tenant = DEFAULT_TENANT;
const of = (...services: readonly string[]) =>
  batchOf(services.map((service) => span({ resource: resource(service) })));

/** Figures of a service that are not zero, by short name. */
function figuresOf(counters: ServiceCounters, service: string): Record<string, number> {
  const own = [...counters.figures()].filter(
    ({ labels, value }) => labels?.['svc'] === service && value > 0,
  );
  return Object.fromEntries(
    own.map(({ name, labels, value }) => [
      labels?.['result'] ?? name.replace(/^.*_(received|rejected|dropped).*$/, '$1'),
      value,
    ]),
  );
}

test('spans are counted by service as they come, and by what became of them', async () => {
  const counters = new ServiceCounters();
  const next = new RecordingSink({ waits: true });
  const sink = counters.counting(next);
  const first = sink.write(tenant, of('a', 'a', 'b', 'a'));
  assert.deepEqual(figuresOf(counters, 'a'), { received: 3 });
  next.writes[0]!.resolve();
  await first;
  const second = sink.write(tenant, of('b'));
  next.writes[1]!.reject(new SpoorError('unavailable', 'no'));
  await assert.rejects(second);
  assert.deepEqual(figuresOf(counters, 'a'), { received: 3, ok: 3 });
  assert.deepEqual(figuresOf(counters, 'b'), { received: 2, ok: 1, err: 1 });
});

test('what a limit refuses and what a processor leaves out is counted', () => {
  const counters = new ServiceCounters();
  const { resource: codes, resources } = of('a', 'a', 'b');
  const admit = counters.admission(() => {
    throw new SpoorError('overloaded', 'too much');
  });
  assert.throws(() => admit(tenant, [{ resource: codes, resources, start: 1, end: 3 }]));
  assert.deepEqual(figuresOf(counters, 'a'), { received: 1, rejected: 1 });
  counters.countDropped(of('a', 'b', 'b'), of('b'));
  counters.countDropped(of('b'), undefined);
  assert.deepEqual(figuresOf(counters, 'a'), { received: 1, rejected: 1, dropped: 1 });
  assert.deepEqual(figuresOf(counters, 'b'), { received: 1, rejected: 1, dropped: 2 });
});

test('the first services have figures of their own, the others share them', async () => {
  const counters = new ServiceCounters();
  const sink = counters.counting(new RecordingSink());
  const names = Array.from({ length: 300 }, (_, i) => `service ${i}`);
  await sink.write(tenant, of(...names));
  await sink.write(tenant, of(...names));
  assert.deepEqual(figuresOf(counters, 'service 199'), { received: 2, ok: 2 });
  assert.deepEqual(figuresOf(counters, 'service 200'), {});
  assert.deepEqual(figuresOf(counters, 'other-services'), { received: 200, ok: 200 });
});

test('the service of any spans is the one that they are read with, however many resources there are', async () => {
  const counters = new ServiceCounters();
  const sink = counters.counting(new RecordingSink());
  const expected = new Map<string, number>();
  const large = 'x'.repeat(300_000);
  await fc.assert(
    fc.asyncProperty(fc.array(arbitrarySpan, { minLength: 1, maxLength: 6 }), async (spans) => {
      const more = spans.map((one, i) =>
        i === 0 ? { ...one, resource: resource('big', { large, i: BigInt(expected.size) }) } : one,
      );
      const batch = batchOf(more);
      for (const {
        resource: { serviceName },
      } of spansOf(batch)) {
        expected.set(serviceName, (expected.get(serviceName) ?? 0) + 1);
      }
      await sink.write(tenant, batch);
      for (const [service, count] of expected) {
        assert.equal(figuresOf(counters, service)['received'], count);
      }
    }),
    { numRuns: 30 },
  );
});
