// SPDX-License-Identifier: Apache-2.0
import type { Span } from '@spoor/core/model/span.ts';
import {
  attributes,
  event,
  link,
  resource,
  scope,
  span,
  spanId,
  traceId,
} from '@spoor/core/query/testing/example-span.ts';

/** Spans of one trace that use all that OTLP has, with the values that are most easily lost. */
export function oddSpans(): Span[] {
  const everything = attributes({
    text: 'é\u0000😀',
    empty: '',
    int: -(2n ** 63n),
    large: 2n ** 63n - 1n,
    zero: -0,
    nan: NaN,
    bool: false,
    bytes: Uint8Array.of(0, 255, 128),
    nothing: null,
    list: ['a', 1n, [2.5, null], { deep: { er: true } }],
    none: [],
    map: {},
    '': 'no key',
  });
  return [
    span({
      parentSpanId: spanId(0),
      traceState: 'a=1,b=2',
      flags: 0x301,
      name: '',
      kind: -1,
      startTimeUnixNano: 0n,
      endTimeUnixNano: 2n ** 64n - 1n,
      status: { code: 1234, message: 'weiß' },
      attributes: [...everything, { key: 'absent', value: { type: 'absent' } }, ...everything],
      droppedAttributesCount: 2 ** 32 - 1,
      events: [
        event('', {}, 2n ** 64n - 1n),
        { ...event('e'), attributes: everything, droppedAttributesCount: 3 },
      ],
      droppedEventsCount: 1,
      links: [
        link({ traceId: '', spanId: '' }),
        link({ traceId: '0'.repeat(32), spanId: '0'.repeat(16) }),
        {
          ...link({ traceId: traceId(7), spanId: spanId(8) }),
          traceState: 'x=y',
          flags: 2 ** 32 - 1,
          attributes: everything,
          droppedAttributesCount: 9,
        },
      ],
      droppedLinksCount: 5,
      resource: {
        ...resource('shop'),
        attributes: everything,
        serviceName: '',
        droppedAttributesCount: 6,
        schemaUrl: 'urn:resource',
      },
      scope: {
        ...scope('io'),
        version: '1.2',
        attributes: everything,
        droppedAttributesCount: 7,
        schemaUrl: 'urn:scope',
      },
    }),
    span({
      spanId: spanId(2),
      startTimeUnixNano: 5000n,
      endTimeUnixNano: 10n,
      kind: 255,
      status: { code: 0, message: '' },
    }),
    span({
      spanId: spanId(3),
      startTimeUnixNano: 2n ** 63n - 1n,
      kind: 254,
      status: { code: 254, message: '' },
      resource: {
        present: false,
        serviceName: '',
        attributes: [],
        droppedAttributesCount: 0,
        schemaUrl: '',
      },
      scope: {
        present: false,
        name: '',
        version: '',
        attributes: [],
        droppedAttributesCount: 0,
        schemaUrl: 'urn:only',
      },
    }),
    span({
      spanId: spanId(4),
      startTimeUnixNano: 2n ** 64n - 1n,
      endTimeUnixNano: 2n ** 64n - 1n,
      resource: { ...resource(''), attributes: [] },
    }),
  ];
}
