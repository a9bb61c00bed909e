// SPDX-License-Identifier: Apache-2.0
import { CALL_MINUTE } from '@spoor/core/analysis/testing/arbitrary-call-span.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { DOUBLES, INTS, NAMES, SERVICES, TEXTS } from '@spoor/core/query/testing/arbitrary-span.ts';
import {
  attributes,
  resource,
  span,
  spanId,
  traceId,
} from '@spoor/core/query/testing/example-span.ts';
import { Random } from '#cli/tracegen/random.ts';

/** The first of the crowd's own traces. */
export const FIRST_CROWD_TRACE = 100;

const MINUTE_NANOS = 60_000_000_000n;

/**
 * So many spans in traces of some three, a few of them in the traces of `arbitrarySpan`: enough of them fill several groups of a block,
 * and have values of which most differ, which blocks store in another way than few.
 */
export function crowdSpans(seed: number, count: number): Span[] {
  const random = new Random(seed);
  let trace = FIRST_CROWD_TRACE;
  return Array.from({ length: count }, (_, i) => {
    if (random.chance(1 / 3)) trace++;
    const start = BigInt(CALL_MINUTE) * MINUTE_NANOS + BigInt(random.int(240)) * 1_000_000_000n;
    const isShared = random.chance(1 / 50);
    return span({
      traceId: traceId(isShared ? 1 + random.int(4) : trace),
      spanId: spanId(100 + i),
      parentSpanId: random.chance(1 / 3) ? '' : spanId(99 + i),
      name: random.pick(NAMES),
      kind: random.int(6),
      startTimeUnixNano: start + BigInt(random.int(1000)),
      endTimeUnixNano: start + BigInt(1000 + random.int(10_000_000)),
      status: random.chance(1 / 20) ? { code: 2, message: '' } : undefined,
      attributes: attributes({
        code: random.chance(1 / 40) ? random.pick([...TEXTS, ...INTS, ...DOUBLES]) : `code-${i}`,
        'http.method': random.pick(TEXTS),
      }),
      resource: resource(random.pick(SERVICES)),
    });
  });
}
