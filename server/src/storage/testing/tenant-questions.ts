// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  arbitraryCallSpan,
  CALL_MINUTE,
} from '@spoor/core/analysis/testing/arbitrary-call-span.ts';
import { parseTenant, type Tenant } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { arbitraryQuery } from '@spoor/core/query/testing/arbitrary-query.ts';
import { arbitrarySpan, SERVICES } from '@spoor/core/query/testing/arbitrary-span.ts';
import { traceId } from '@spoor/core/query/testing/example-span.ts';
import type { TraceQuery } from '@spoor/core/query/trace-query.ts';
import type {
  AttributeQuery,
  AttributeValuesQuery,
  MinuteRange,
  SpanMetricsQuery,
} from '#storage/tracestore.ts';
import { readTraces, type StoreHarness, writeSpans } from './store-harness.ts';
import { bySpan, spanText, TraceOracle } from './trace-oracle.ts';

/** Tenants that share a store, and one more that has nothing. */
const TENANTS = 3;
/** Questions after each history. */
const QUESTIONS = 40;

type Step =
  | { readonly do: 'write'; readonly tenant: number; readonly spans: readonly Span[] }
  | { readonly do: 'settle' | 'reopen' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      tenant: fc.nat(TENANTS - 1),
      spans: fc.array(fc.oneof(arbitrarySpan, arbitraryCallSpan), { minLength: 1, maxLength: 8 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'settle' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'reopen' }) },
);

type Question = { readonly tenant: number } & (
  | { readonly ask: 'find'; readonly query: TraceQuery }
  | { readonly ask: 'get'; readonly ids: readonly number[] }
  | { readonly ask: 'operations'; readonly service: string }
  | { readonly ask: 'services' }
  | { readonly ask: 'dependencies'; readonly range: MinuteRange }
  | { readonly ask: 'metrics'; readonly query: SpanMetricsQuery }
  | { readonly ask: 'names'; readonly query: AttributeQuery }
  | { readonly ask: 'values'; readonly query: AttributeValuesQuery }
);

// The last tenant writes nothing.
const tenant = fc.nat(TENANTS);

const range = fc.constantFrom(
  { fromMinute: 0, toMinute: 2 ** 32 },
  { fromMinute: CALL_MINUTE, toMinute: CALL_MINUTE + 1 },
);

/** Over all time: narrower windows are rounded outwards, differently in each state of a store. */
const attributeQuery = fc.record({
  startMinUnixNano: fc.constant(0n),
  startMaxUnixNano: fc.constant(2n ** 64n),
  prefix: fc.constantFrom('', 'c', 'G'),
  limit: fc.constantFrom(1, 3, 1000),
});

const question: fc.Arbitrary<Question> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ tenant, ask: fc.constant('find' as const), query: arbitraryQuery }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      tenant,
      ask: fc.constant('get' as const),
      ids: fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { maxLength: 5 }),
    }),
  },
  fc.record({
    tenant,
    ask: fc.constant('operations' as const),
    service: fc.constantFrom(...SERVICES, ''),
  }),
  fc.record({ tenant, ask: fc.constant('services' as const) }),
  fc.record({ tenant, ask: fc.constant('dependencies' as const), range }),
  fc
    .record({ tenant, minutes: range, byOperation: fc.boolean() })
    .map(({ tenant: asking, minutes, byOperation }) => ({
      tenant: asking,
      ask: 'metrics' as const,
      query: { ...minutes, services: [...SERVICES, ''], kinds: [0, 1, 2, 3], byOperation },
    })),
  fc.record({ tenant, ask: fc.constant('names' as const), query: attributeQuery }),
  fc
    .record({
      tenant,
      query: attributeQuery,
      scope: fc.constantFrom('span', 'resource'),
      name: fc.constantFrom('code', 'service.name', 'db.system', ''),
    })
    .map(({ tenant: asking, query, scope, name }) => ({
      tenant: asking,
      ask: 'values' as const,
      query: { ...query, scope, name },
    })),
);

/**
 * Asks a store at least so many random questions in the names of several tenants, whose spans have the same ids, times and
 * words and came in any order; each answer must be the one of an oracle that knows the spans of that tenant alone.
 */
export async function askAcrossTenants(
  harness: StoreHarness,
  options: { readonly questions: number; readonly seed?: number },
): Promise<void> {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 2, maxLength: 12 }),
      fc.array(question, { minLength: QUESTIONS, maxLength: QUESTIONS }),
      async (steps, questions) => {
        run++;
        const names = Array.from({ length: TENANTS + 1 }, (_, i) => parseTenant(`t${run}-${i}`));
        const oracle = new TraceOracle();
        for (const one of steps) {
          if (one.do === 'write') {
            const name = names[one.tenant]!;
            await writeSpans(harness.store, one.spans, name);
            oracle.write(name, one.spans);
          } else {
            await harness[one.do]();
          }
        }
        for (const one of questions) {
          await check(harness, oracle, names[one.tenant]!, one);
        }
      },
    ),
    {
      numRuns: Math.ceil(options.questions / QUESTIONS),
      ...(options.seed === undefined ? {} : { seed: options.seed }),
    },
  );
}

async function check(
  { store }: StoreHarness,
  oracle: TraceOracle,
  tenant: Tenant,
  question: Question,
): Promise<void> {
  const told = fc.stringify(question);
  switch (question.ask) {
    case 'find': {
      const found = await store.findTraces(tenant, question.query);
      assert.deepEqual(found, oracle.findTraces(tenant, question.query), told);
      return;
    }
    case 'get': {
      const ids = question.ids.map(traceId);
      const texts = (spans: readonly Span[]): string[] => spans.toSorted(bySpan).map(spanText);
      assert.deepEqual(
        (await readTraces(store, ids, tenant)).map(texts),
        ids.map((id) => texts(oracle.getTrace(tenant, id))).filter((spans) => spans.length > 0),
        told,
      );
      return;
    }
    case 'operations': {
      const { service } = question;
      const operations = [...(await store.getOperations(tenant, service))];
      assert.deepEqual(operations, oracle.getOperations(tenant, service), told);
      return;
    }
    case 'dependencies': {
      const dependencies = [...(await store.getDependencies(tenant, question.range))];
      assert.deepEqual(dependencies, oracle.getDependencies(tenant, question.range), told);
      return;
    }
    case 'metrics': {
      const metrics = [...(await store.getSpanMetrics(tenant, question.query))];
      assert.deepEqual(metrics, oracle.getSpanMetrics(tenant, question.query), told);
      return;
    }
    case 'names': {
      const { entries } = await store.getAttributeNames(tenant, question.query);
      assert.deepEqual(entries, oracle.getAttributeNames(tenant, question.query), told);
      return;
    }
    case 'values': {
      const { entries } = await store.getAttributeValues(tenant, question.query);
      assert.deepEqual(entries, oracle.getAttributeValues(tenant, question.query), told);
      return;
    }
    case 'services':
      assert.deepEqual(await store.getServices(tenant), oracle.getServices(tenant), told);
  }
}
