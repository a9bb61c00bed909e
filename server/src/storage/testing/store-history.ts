// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { arbitraryCallSpan } from '@spoor/core/analysis/testing/arbitrary-call-span.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { arbitraryPredicate } from '@spoor/core/query/testing/arbitrary-predicate.ts';
import { arbitraryQuery } from '@spoor/core/query/testing/arbitrary-query.ts';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
import type { SpanPredicate, TraceQuery } from '@spoor/core/query/trace-query.ts';
import { crowdSpans } from './crowd-spans.ts';
import { assertFound, assertSameAnswers } from './same-answers.ts';
import { type StoreHarness, writeSpans } from './store-harness.ts';
import { TraceOracle } from './trace-oracle.ts';

/** Something that happens to a store. */
type Step =
  | { readonly do: 'write'; readonly spans: readonly Span[] }
  | { readonly do: 'crowd'; readonly seed: number; readonly spans: number }
  /** Spans written before, by number, come again in this order; while something else is under way, or not. */
  | {
      readonly do: 'resend';
      readonly picks: readonly number[];
      readonly during: 'settle' | 'merge' | undefined;
    }
  | { readonly do: 'settle' | 'reopen' | 'merge' | 'expire' | 'wait' }
  | { readonly do: 'delete'; readonly where: SpanPredicate };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      spans: fc.array(fc.oneof(arbitrarySpan, arbitraryCallSpan), { minLength: 1, maxLength: 12 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('resend' as const),
      picks: fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
      during: fc.constantFrom(undefined, 'settle', 'merge'),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ do: 'settle' }, { do: 'wait' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'reopen' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'merge' }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('delete' as const), where: arbitraryPredicate }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'expire' }) },
);

const EVERY_SPAN: SpanPredicate = { op: 'and', args: [] };

/** What happens to the spans of a tenant, and what is asked of them afterwards. */
export interface StoreHistory {
  readonly steps: readonly Step[];
  readonly queries: readonly TraceQuery[];
}

/** Enough for two groups of a block, or three. */
const crowd: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('crowd' as const),
  seed: fc.nat(),
  spans: fc.integer({ min: 1500, max: 9000 }),
});

/**
 * Histories with up to so many steps.
 * @param crowds so many of a hundred histories have a step that writes thousands of spans, which takes seconds
 */
export function arbitraryHistory(maxSteps: number, crowds = 0): fc.Arbitrary<StoreHistory> {
  return fc
    .record({
      steps: fc.array(step, { minLength: 1, maxLength: maxSteps }),
      queries: fc.array(arbitraryQuery, { minLength: 1, maxLength: 10 }),
      crowd: fc.oneof(
        { weight: 100 - crowds, arbitrary: fc.constant(undefined) },
        { weight: crowds, arbitrary: crowd },
      ),
      place: fc.nat({ max: maxSteps }),
    })
    .map(({ steps, queries, crowd: step, place }) => ({
      steps: step === undefined ? steps : steps.toSpliced(place, 0, step),
      queries,
    }));
}

/**
 * The test that matters most: whatever is written, sent again, mixed, settled, merged, deleted, left to expire and reopened, the
 * answers are those of a brute-force oracle.
 * @param tenant has nothing in the store yet
 */
export async function liveThrough(
  { steps, queries }: StoreHistory,
  harness: StoreHarness,
  tenant: Tenant,
): Promise<void> {
  const oracle = new TraceOracle();
  const written: Span[] = [];
  const write = async (spans: readonly Span[]): Promise<void> => {
    await writeSpans(harness.store, spans, tenant);
    oracle.write(tenant, spans);
    written.push(...spans);
  };
  for (const one of steps) {
    switch (one.do) {
      case 'write':
        await write(one.spans);
        break;
      case 'crowd':
        await write(crowdSpans(one.seed, one.spans));
        break;
      case 'resend': {
        if (written.length === 0) break;
        const other = one.during === undefined ? undefined : harness[one.during]();
        await write(one.picks.map((n) => written[n % written.length]!));
        if (other === undefined) break;
        await assertFound(harness.store, oracle, tenant, queries);
        await other;
        break;
      }
      case 'settle':
      case 'reopen':
      case 'merge':
      case 'wait':
        await harness[one.do]();
        break;
      case 'delete':
        if (await harness.delete(tenant, one.where)) oracle.delete(tenant, one.where);
        break;
      case 'expire':
        if (await harness.expire()) oracle.delete(tenant, EVERY_SPAN);
    }
  }
  const traces = await assertSameAnswers(harness.store, oracle, tenant, queries);
  await harness.settle();
  const settled = await assertSameAnswers(harness.store, oracle, tenant, queries);
  assert.deepEqual(settled, traces, 'settling changed a trace');
  await harness.merge();
  const merged = await assertSameAnswers(harness.store, oracle, tenant, queries);
  assert.deepEqual(merged, traces, 'merging changed a trace');
}
