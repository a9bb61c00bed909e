// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_TENANT, parseTraceId } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
import { attributes, span, spanId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { probabilisticSamplerSchema } from '#config/probabilistic-sampler-config.ts';
import { createProbabilisticSampler } from './probabilistic-sampler.ts';
import { RecordingSink, spansOf } from './testing/recording-sink.ts';

const tenant = DEFAULT_TENANT;

async function sample(config: object, spans: readonly Span[]): Promise<Span[]> {
  const next = new RecordingSink();
  const settings = probabilisticSamplerSchema.parse(config);
  const sampler = createProbabilisticSampler(settings, { name: 'probabilistic_sampler', next });
  if (spans.length > 0) await sampler.write(tenant, batchOf(spans));
  return next.spans;
}

/** A span of a trace with this random value, 14 digits. */
function withRandomValue(digits: string, given: Partial<Span> = {}): Span {
  return span({ traceId: parseTraceId(`${'a'.repeat(18)}${digits}`), ...given });
}

test('a trace is kept when its random value is not below the threshold, which is written down', async () => {
  const spans = ['bfffffffffffff', 'c0000000000000', 'ffffffffffffff', '00000000000000'].map(
    (digits) => withRandomValue(digits),
  );
  const kept = await sample({ sampling_percentage: 25 }, spans);
  assert.deepEqual(
    kept,
    [spans[1]!, spans[2]!].map((one) => ({ ...one, traceState: 'ot=th:c' })),
  );
});

test('a random value in the trace state goes before that in the trace id', async () => {
  const low = withRandomValue('00000000000000', { traceState: 'a=1,ot=rv:c0000000000000' });
  const high = withRandomValue('ffffffffffffff', { traceState: 'ot=rv:bfffffffffffff;x:y' });
  assert.deepEqual(await sample({ sampling_percentage: 25 }, [low, high]), [
    { ...low, traceState: 'ot=th:c;rv:c0000000000000,a=1' },
  ]);
});

test('what was sampled before is sampled in proportion, or down to the percentage', async () => {
  const before = withRandomValue('e0000000000000', { traceState: 'ot=th:8,b=2' });
  const quarter = [{ ...before, traceState: 'ot=th:c,b=2' }];
  assert.deepEqual(await sample({ sampling_percentage: 50 }, [before]), quarter);
  const mode = 'equalizing';
  assert.deepEqual(await sample({ sampling_percentage: 25, mode }, [before]), quarter);
  assert.deepEqual(await sample({ sampling_percentage: 75, mode }, [before]), [before]);
  assert.deepEqual(await sample({ sampling_percentage: 100 }, [before]), [before]);
});

test('a threshold that is not true for the trace, or cannot be read, does not count', async () => {
  const wrong = withRandomValue('90000000000000', { traceState: 'ot=th:c' });
  const unread = withRandomValue('90000000000000', { traceState: 'ot=th:XYZ;rv:12' });
  assert.deepEqual(await sample({ sampling_percentage: 50 }, [wrong, unread]), [
    { ...wrong, traceState: 'ot=th:8' },
    { ...unread, traceState: 'ot=th:8;rv:12' },
  ]);
});

test('spans that were asked for are all kept as they are, and those with errors where it is wanted', async () => {
  const given = [
    { attributes: attributes({ 'jaeger.flags': 3n }) },
    { attributes: attributes({ 'zipkin.debug': true }) },
    { attributes: attributes({ 'sampling.priority': 1n }) },
    { status: { code: 2, message: 'boom' } },
    { attributes: attributes({ 'jaeger.flags': 9n }) },
    { attributes: attributes({ 'sampling.priority': 0n }) },
  ].map((more) => withRandomValue('00000000000000', more));
  const debug = given.slice(0, 3);
  assert.deepEqual(await sample({ sampling_percentage: 1 }, given), debug);
  assert.deepEqual(
    await sample({ sampling_percentage: 1, keep_errors: true }, given),
    given.slice(0, 4),
  );
  assert.deepEqual(await sample({ sampling_percentage: 1, keep_debug: false }, given), []);
  assert.deepEqual(await sample({ sampling_percentage: 100 }, given), given.slice(0, 5));
});

test('a hundred percent hand a batch on as it is, zero percent none', async () => {
  const batch = batchOf([span(), span()]);
  const next = new RecordingSink();
  const all = probabilisticSamplerSchema.parse({ sampling_percentage: 100 });
  await createProbabilisticSampler(all, { name: 'x', next }).write(tenant, batch);
  assert.equal(next.writes[0]!.batch, batch);
  assert.deepEqual(await sample({ sampling_percentage: 0 }, [withRandomValue('f'.repeat(14))]), []);
});

test('the number of kept traces is right, and scaled up gives that of all', async () => {
  const count = 5000;
  // Golden ratio: evenly spread over all random values.
  const spans = Array.from({ length: count }, (_, i) =>
    withRandomValue(
      Math.floor(((i * 0.618033988749895) % 1) * 2 ** 52)
        .toString(16)
        .padStart(13, '0') + '0',
    ),
  );
  for (const percentage of [0.5, 15.3, 99]) {
    const kept = await sample({ sampling_percentage: percentage }, spans);
    const expected = (count * percentage) / 100;
    assert.ok(Math.abs(kept.length - expected) <= 3, `${kept.length} of ${expected}`);
    const digits = /^ot=th:([0-9a-f]+)$/.exec(kept[0]!.traceState)![1]!.padEnd(14, '0');
    const probability = 1 - Number(BigInt(`0x${digits}`)) / 2 ** 56;
    assert.ok(Math.abs(probability / (percentage / 100) - 1) < 0.001);
  }
});

test('all spans of a trace are kept or none, and a higher percentage keeps all that a lower one keeps', async () => {
  const id = fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }).map((n) => parseTraceId(n.toString(16)));
  const percentage = fc.double({ min: 0, max: 100, noNaN: true });
  await fc.assert(
    fc.asyncProperty(
      fc.array(id, { minLength: 1, maxLength: 10 }),
      percentage,
      percentage,
      fc.constantFrom('proportional', 'equalizing'),
      async (ids, one, other, mode) => {
        const spans = ids.flatMap((traceId) => [
          span({ traceId, spanId: spanId(1) }),
          span({ traceId, spanId: spanId(2), name: 'other' }),
        ]);
        const [low, high] = one < other ? [one, other] : [other, one];
        const few = await sample({ sampling_percentage: low, mode }, spans);
        const many = await sample({ sampling_percentage: high, mode }, spans);
        const idsOf = (list: readonly Span[]) => list.map(({ traceId }) => traceId);
        const kept = new Set(idsOf(many));
        assert.ok(idsOf(few).every((traceId) => kept.has(traceId)));
        for (const list of [few, many]) {
          assert.ok(idsOf(list).every((traceId, i) => traceId === list[i ^ 1]!.traceId));
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('one sampler after another keeps what one with the product of both keeps', async () => {
  const half = { sampling_percentage: 50 };
  const spans = Array.from({ length: 64 }, (_, i) =>
    withRandomValue(
      i
        .toString(16)
        .padStart(2, '0')
        .replace(/^(.)(.)$/, '$2$1') + '1'.repeat(12),
    ),
  );
  const twice = await sample(half, await sample(half, spans));
  assert.deepEqual(twice, await sample({ sampling_percentage: 25 }, spans));
  assert.ok(twice.length > 0);
});

test('nothing but the trace state of any spans changes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(arbitrarySpan, { minLength: 1, maxLength: 6 }),
      fc.constantFrom('0', '7', 'f'),
      fc.constantFrom(1, 9),
      async (some, digit, times) => {
        const given = Array.from({ length: times }, () => some)
          .flat()
          .map((one) => ({
            ...one,
            traceId: parseTraceId(one.traceId.slice(14) + digit.repeat(14)),
          }));
        const batch = batchOf(given);
        const bytes = batch.bytes.slice();
        const kept = await sample({ sampling_percentage: 75, keep_debug: false }, given);
        const expected = digit === '0' ? [] : spansOf(batch);
        assert.deepEqual(
          kept,
          expected.map((one) => ({
            ...one,
            traceState: one.traceState === '' ? 'ot=th:4' : `ot=th:4,${one.traceState}`,
          })),
        );
        assert.deepEqual(batch.bytes, bytes);
      },
    ),
  );
});
