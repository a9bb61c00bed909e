// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { TRACE_ORDERS, type SpanPredicate, type TraceQuery } from '#query/trace-query.ts';
import { arbitraryPredicate, arbitraryWindow } from './arbitrary-predicate.ts';
import { DURATIONS, STARTS } from './arbitrary-span.ts';
import { arbitraryTracePredicate } from './arbitrary-trace-predicate.ts';
import { traceId } from './example-span.ts';

const position = fc.record({
  key: fc.constantFrom(...STARTS, ...DURATIONS, 2n, -(2n ** 64n) + 1n),
  traceId: fc.integer({ min: 1, max: 4 }).map(traceId),
});

/** Queries about what `arbitrarySpan` makes; many of them find some of it. */
export const arbitraryQuery: fc.Arbitrary<TraceQuery> = fc
  .record(
    {
      where: fc.oneof(fc.constant<SpanPredicate>({ op: 'and', args: [] }), arbitraryPredicate),
      window: arbitraryWindow,
      limit: fc.constantFrom(1, 2, 3, 100),
      order: fc.constantFrom(...TRACE_ORDERS),
      having: arbitraryTracePredicate,
      after: position,
    },
    { requiredKeys: ['where', 'window', 'limit'] },
  )
  .map(({ window, ...query }) => ({ ...query, ...window }));
