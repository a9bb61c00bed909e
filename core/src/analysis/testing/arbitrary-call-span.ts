// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import type { Span } from '#model/span.ts';
import { attributes, resource, span, spanId, traceId } from '#query/testing/example-span.ts';

/** Unix minute of the earliest starts. */
export const CALL_MINUTE = 28_333_333;
/** Around its edges. */
const STARTS = [0n, 1n, 59_999_999_999n, 60_000_000_000n, 150_000_000_000n];

const MINUTE_START = BigInt(CALL_MINUTE) * 60_000_000_000n;

/** Spans that call each other: few ids, services and peers, ids that several share, loops and gaps. */
export const arbitraryCallSpan: fc.Arbitrary<Span> = fc
  .record({
    trace: fc.integer({ min: 1, max: 3 }),
    id: fc.integer({ min: 1, max: 8 }),
    parent: fc.integer({ min: 0, max: 8 }),
    service: fc.constantFrom('shop', 'cart', 'bank', ''),
    name: fc.constantFrom('a', 'b'),
    kind: fc.constantFrom(0, 1, 2, 3, 3, 4, 5),
    start: fc.constantFrom(...STARTS),
    duration: fc.constantFrom(0n, 17n, 5_000_000n, -3n),
    isError: fc.constantFrom(false, false, true),
    values: fc.constantFrom(
      {},
      {},
      { 'peer.service': 'ledger', 'db.system': 'mysql' },
      { 'peer.service': '', 'server.address': 'cart.local' },
      { 'messaging.system': 'kafka', 'net.peer.name': 'k1' },
      { 'db.system.name': 'redis' },
      { 'db.system': 5n },
    ),
  })
  .map(({ trace, id, parent, service, name, kind, start, duration, isError, values }) =>
    span({
      traceId: traceId(trace),
      spanId: spanId(id),
      parentSpanId: parent === 0 ? '' : spanId(parent),
      resource: resource(service),
      name,
      kind,
      startTimeUnixNano: MINUTE_START + start,
      endTimeUnixNano: MINUTE_START + start + duration,
      status: isError ? { code: 2, message: '' } : undefined,
      attributes: attributes(values),
    }),
  );
