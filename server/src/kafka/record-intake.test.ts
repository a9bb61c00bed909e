// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { parseTenant } from '@spoor/core/model/ids.ts';
import { MemoryBudget } from '#net/memory-budget.ts';
import type { Refusal } from '#net/refusal.ts';
import { Tenancy } from '#net/tenancy.ts';
import { FakeTraceIngest } from '#receivers/testing/fake-trace-ingest.ts';
import type { KafkaRecord } from './dead-letters.ts';
import { RecordIntake, type RecordIntakeSettings } from './record-intake.ts';

const PATH = 'receivers.kafka';

/** An intake with a fake behind it. */
function bench({
  settings = {},
  tenancy = new Tenancy(undefined),
  budget = new MemoryBudget(),
}: {
  settings?: Partial<RecordIntakeSettings>;
  tenancy?: Tenancy;
  budget?: MemoryBudget;
} = {}) {
  const ingest = new FakeTraceIngest();
  const letters: { record: KafkaRecord; refusal: Refusal }[] = [];
  const log: string[] = [];
  const write = (_: object, message: string): void => void log.push(message);
  const intake = new RecordIntake(
    { path: PATH, format: 'otlp_proto', tenant: undefined, ...settings },
    {
      ingest,
      tenancy,
      budgetOf: () => budget,
      tenantCounters: undefined,
      logger: { info: write, warn: write, error: write },
    },
    {
      add: (record, refusal) => {
        letters.push({ record, refusal });
        return Promise.resolve();
      },
    },
    () => 0,
  );
  const { signal } = new AbortController();
  return { ingest, letters, intake, log, take: (one = record()) => intake.take(one, signal) };
}

function record(given: Partial<KafkaRecord> = {}): KafkaRecord {
  const value = Buffer.from('spans');
  const headers = new Map<Buffer, Buffer>();
  return { topic: 'spans', partition: 1, offset: 7n, key: undefined, value, headers, ...given };
}

test('a record is done when it is stored, and its memory is given back', async () => {
  const budget = new MemoryBudget();
  const { ingest, intake, take } = bench({ budget });
  assert.equal(await take(), true);
  assert.equal(ingest.calls[0]?.body.toString(), 'spans');
  assert.equal(budget.figures.leases, 0);
  const { requests, acceptedSpans, bodyBytes } = intake.counters.figures.otlp_proto;
  assert.deepEqual([requests, acceptedSpans, bodyBytes], [1, 1, 5]);
});

test('a record that can be stored later is tried until it is', async () => {
  const { ingest, intake, letters, take } = bench();
  let left = 5;
  ingest.answer = () => {
    if (left-- > 0) throw new SpoorError(left % 2 ? 'overloaded' : 'unavailable', 'later');
    return { accepted: 1, rejected: 0, message: '' };
  };
  assert.equal(await take(), true);
  assert.deepEqual([intake.retries, intake.waiting, letters.length], [5, 0, 0]);
});

test('a record that waits to be tried again is given up when the session ends', async () => {
  const { ingest, intake } = bench();
  ingest.answer = () => {
    throw new SpoorError('overloaded', 'later');
  };
  const ending = new AbortController();
  const taken = intake.take(record(), ending.signal);
  await ingest.called(1);
  ending.abort();
  assert.equal(await taken, false);
});

test('no memory is a reason to wait, but for a record that never fits', async () => {
  const { letters, take } = bench({ budget: new MemoryBudget(1000) });
  assert.equal(await take(), true);
  assert.equal(letters[0]?.refusal.reason, 'too_large');

  const budget = new MemoryBudget(2000);
  const lease = budget.reserve(1500);
  const full = bench({ budget });
  const taken = full.take();
  while (full.intake.retries === 0) await new Promise((resolve) => setImmediate(resolve));
  lease?.release();
  assert.equal(await taken, true);
  assert.equal(full.ingest.calls.length, 1);
});

test('a record that can never be stored is a dead letter, with the reason', async () => {
  const { ingest, intake, letters, log, take } = bench();
  ingest.answer = () => {
    throw new SpoorError('malformed', 'no spans');
  };
  assert.equal(await take(), true);
  assert.deepEqual(
    letters.map(({ record: { offset }, refusal }) => [offset, refusal.reason, refusal.message]),
    [[7n, 'malformed', 'no spans']],
  );
  assert.deepEqual(log, []);
  assert.equal(intake.counters.figures.otlp_proto.refusedRequests.malformed, 1);
});

test('a record is no dead letter for what is wrong with the configuration or with the code', async () => {
  const { ingest, intake, letters, log, take } = bench();
  const errors = [
    new SpoorError('config', 'the next hop answered HTTP 401'),
    new SpoorError('internal', 'the next hop answered HTTP 500'),
    new TypeError('a fault'),
  ];
  ingest.answer = () => {
    const error = errors.shift();
    if (error !== undefined) throw error;
    return { accepted: 1, rejected: 0, message: '' };
  };
  assert.equal(await take(), true);
  assert.deepEqual([intake.retries, letters.length, ingest.calls.length], [3, 0, 4]);
  assert.deepEqual(log, [`${PATH}: a record failed, and is tried again until it is stored`]);
});

test('a record without a value has no spans', async () => {
  const { letters, take } = bench();
  assert.equal(await take(record({ value: undefined })), true);
  assert.equal(letters.length, 0);
});

test('the tenant is that of the header, or else the one that is set', async () => {
  const tenancy = new Tenancy({ header: 'X-Tenant', tenants: [] });
  const of = (name: string): KafkaRecord =>
    record({ headers: new Map([[Buffer.from('x-tenant'), Buffer.from(name)]]) });
  const { ingest, letters, take } = bench({ tenancy });
  await take(of('acme'));
  await take();
  await take(of('../etc'));
  assert.deepEqual(
    ingest.calls.map(({ tenant }) => tenant),
    ['acme'],
  );
  assert.deepEqual(
    letters.map(({ refusal }) => refusal.reason),
    ['unauthenticated', 'unauthenticated'],
  );
  const fixed = bench({ tenancy, settings: { tenant: parseTenant('fixed') } });
  await fixed.take();
  await fixed.take(of('acme'));
  assert.deepEqual(
    fixed.ingest.calls.map(({ tenant }) => tenant),
    ['fixed', 'acme'],
  );
});
