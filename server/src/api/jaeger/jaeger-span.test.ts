// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AttributeValue } from '@spoor/core/model/attributes.ts';
import { parseTraceId, type SpanId } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { jaegerProcess, jaegerSpan } from './jaeger-span.ts';
import { keyValueOf } from './jaeger-key-value.ts';

const SPAN: Span = {
  traceId: parseTraceId('4bf92f3577b34da6a3ce929d0e0e4736'),
  spanId: '00f067aa0ba902b7' as SpanId,
  parentSpanId: '',
  traceState: '',
  flags: 0,
  name: 'GET /',
  kind: 0,
  startTimeUnixNano: 1_700_000_000_000_001_999n,
  endTimeUnixNano: 1_700_000_000_001_502_998n,
  status: undefined,
  attributes: [],
  droppedAttributesCount: 0,
  events: [],
  droppedEventsCount: 0,
  links: [],
  droppedLinksCount: 0,
  resource: {
    present: true,
    serviceName: 'shop',
    attributes: [
      { key: 'service.name', value: { type: 'string', value: 'shop' } },
      { key: 'host.name', value: { type: 'string', value: 'a1' } },
    ],
    droppedAttributesCount: 0,
    schemaUrl: '',
  },
  scope: {
    present: false,
    name: '',
    version: '',
    attributes: [],
    droppedAttributesCount: 0,
    schemaUrl: '',
  },
};

test('flags that a Jaeger client sent are flags again', () => {
  const debug = { key: 'jaeger.flags', value: { type: 'int', value: 3n } } as const;
  const { flags, tags } = jaegerSpan({ ...SPAN, flags: 1, attributes: [debug] }, 'p1', []);
  assert.deepEqual([flags, tags], [3, []]);
});

test('a span may have more attributes than a call has arguments', () => {
  const attribute = { key: 'item', value: { type: 'bool', value: true } } as const;
  const { tags } = jaegerSpan({ ...SPAN, attributes: Array(500_000).fill(attribute) }, 'p1', []);
  assert.equal(tags.length, 500_000);
});

test('warnings that came with a span are warnings again', () => {
  const value = { type: 'array', value: [{ type: 'string', value: 'late' }] } as const;
  const sent = { ...SPAN, attributes: [{ key: '@jaeger@warnings', value }] };
  const { warnings, tags } = jaegerSpan(sent, 'p1', ['twice']);
  assert.deepEqual([warnings, tags], [['late', 'twice'], []]);
});

test('a link to the parent says what kind of parent it is, and ids of zeros are none', () => {
  const type = { key: 'opentracing.ref_type', value: { type: 'string', value: 'x' } } as const;
  const parentSpanId = '00000000000000aa' as SpanId;
  const toParent = { ...LINK, traceId: SPAN.traceId, spanId: parentSpanId, attributes: [type] };
  const references = (span: Partial<Span>): unknown =>
    jaegerSpan({ ...SPAN, ...span }, 'p1', []).references;
  assert.deepEqual(references({ parentSpanId, links: [toParent] }), [
    { refType: 'FOLLOWS_FROM', traceID: SPAN.traceId, spanID: parentSpanId },
  ]);
  assert.deepEqual(
    references({
      parentSpanId: '0'.repeat(16) as SpanId,
      links: [{ ...LINK, traceId: '0'.repeat(32), spanId: parentSpanId }],
    }),
    [],
  );
});

test('a bare span has empty lists, no flags and times in whole µs', () => {
  assert.deepEqual(jaegerSpan(SPAN, 'p1', []), {
    traceID: '4bf92f3577b34da6a3ce929d0e0e4736',
    spanID: '00f067aa0ba902b7',
    operationName: 'GET /',
    references: [],
    startTime: 1_700_000_000_000_001,
    duration: 1500,
    tags: [],
    logs: [],
    processID: 'p1',
    warnings: null,
  });
});

test('what Jaeger has no field for becomes tags, in the order of its own translation', () => {
  const span = jaegerSpan(
    {
      ...SPAN,
      traceId: parseTraceId('a3ce929d0e0e4736'),
      parentSpanId: '0000000000000001' as SpanId,
      traceState: 'a=1',
      flags: 0x301,
      kind: 3,
      status: { code: 2, message: 'boom' },
      scope: { ...SPAN.scope, present: true, name: 'lib', version: '1.2' },
      attributes: [{ key: 'n', value: { type: 'int', value: 7n } }],
      events: [
        {
          timeUnixNano: 1_700_000_000_000_500_000n,
          name: 'retry',
          attributes: [{ key: 'again', value: { type: 'bool', value: false } }],
          droppedAttributesCount: 0,
        },
      ],
      links: [
        { ...LINK, traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00000000000000aa' },
        { ...LINK, spanId: '00000000000000bb' },
        {
          ...LINK,
          traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
          attributes: [
            { key: 'opentracing.ref_type', value: { type: 'string', value: 'child_of' } },
          ],
        },
      ],
    },
    'p2',
    ['2 different spans have this span id'],
  );
  assert.equal(span.traceID, 'a3ce929d0e0e4736');
  assert.equal(span.flags, 1);
  assert.deepEqual(span.tags, [
    { key: 'otel.scope.name', type: 'string', value: 'lib' },
    { key: 'otel.scope.version', type: 'string', value: '1.2' },
    { key: 'n', type: 'int64', value: 7 },
    { key: 'span.kind', type: 'string', value: 'client' },
    { key: 'otel.status_code', type: 'string', value: 'ERROR' },
    { key: 'error', type: 'bool', value: true },
    { key: 'otel.status_description', type: 'string', value: 'boom' },
    { key: 'w3c.tracestate', type: 'string', value: 'a=1' },
  ]);
  assert.deepEqual(span.references, [
    { refType: 'CHILD_OF', traceID: 'a3ce929d0e0e4736', spanID: '0000000000000001' },
    {
      refType: 'FOLLOWS_FROM',
      traceID: '4bf92f3577b34da6a3ce929d0e0e4736',
      spanID: '00000000000000aa',
    },
    {
      refType: 'CHILD_OF',
      traceID: '4bf92f3577b34da6a3ce929d0e0e4736',
      spanID: '0000000000000000',
    },
  ]);
  assert.deepEqual(span.logs, [
    {
      timestamp: 1_700_000_000_000_500,
      fields: [
        { key: 'event', type: 'string', value: 'retry' },
        { key: 'again', type: 'bool', value: false },
      ],
    },
  ]);
  assert.deepEqual(span.warnings, [
    '2 different spans have this span id',
    'links without a trace id are not shown: 1',
  ]);
});

const LINK = {
  traceId: '',
  spanId: '',
  traceState: '',
  flags: 0,
  attributes: [],
  droppedAttributesCount: 0,
};

test('a span that ends before it starts is shown without duration and with a warning', () => {
  const span = jaegerSpan({ ...SPAN, endTimeUnixNano: SPAN.startTimeUnixNano - 5n }, 'p1', []);
  assert.equal(span.duration, 0);
  assert.deepEqual(span.warnings, [
    'the span ends 5 ns before it starts; its duration is shown as 0',
  ]);
});

test('an error that its sender has marked is not marked again', () => {
  const mark = (value: AttributeValue): number =>
    jaegerSpan(
      { ...SPAN, status: { code: 2, message: '' }, attributes: [{ key: 'error', value }] },
      'p1',
      [],
    ).tags.filter((tag) => tag.key === 'error').length;
  assert.equal(mark({ type: 'bool', value: true }), 1);
  assert.equal(mark({ type: 'string', value: 'true' }), 1);
  assert.equal(mark({ type: 'string', value: 'timeout' }), 2);
});

test('a process is the service and the other resource attributes', () => {
  assert.deepEqual(jaegerProcess(SPAN.resource), {
    serviceName: 'shop',
    tags: [{ key: 'host.name', type: 'string', value: 'a1' }],
  });
  assert.equal(
    jaegerProcess({ ...SPAN.resource, serviceName: '', attributes: [] }).serviceName,
    'missing-service-name',
  );
});

test('every attribute value becomes valid JSON of one of the five types', () => {
  const cases: [AttributeValue, string, string][] = [
    [{ type: 'string', value: 'é"\n' }, 'string', '"é\\"\\n"'],
    [{ type: 'bool', value: false }, 'bool', 'false'],
    [{ type: 'int', value: 9007199254740991n }, 'int64', '9007199254740991'],
    [{ type: 'int', value: 9007199254740992n }, 'int64', '"9007199254740992"'],
    [{ type: 'int', value: -9223372036854775808n }, 'int64', '"-9223372036854775808"'],
    [{ type: 'double', value: 0.1 }, 'float64', '0.1'],
    [{ type: 'double', value: -0 }, 'float64', '-0'],
    [{ type: 'double', value: NaN }, 'float64', '"NaN"'],
    [{ type: 'double', value: -Infinity }, 'float64', '"-Infinity"'],
    [{ type: 'bytes', value: new Uint8Array([255, 0, 1]) }, 'binary', '"/wAB"'],
    [{ type: 'empty' }, 'string', '""'],
    [{ type: 'absent' }, 'string', '""'],
    [
      {
        type: 'array',
        value: [
          { type: 'int', value: 1n },
          { type: 'double', value: Infinity },
          { type: 'empty' },
          {
            type: 'kvlist',
            value: [{ key: '__proto__', value: { type: 'bytes', value: new Uint8Array([1]) } }],
          },
        ],
      },
      'string',
      '"[1,\\"Infinity\\",null,{\\"__proto__\\":\\"AQ==\\"}]"',
    ],
  ];
  for (const [value, type, json] of cases) {
    const tag = keyValueOf({ key: 'k', value });
    assert.equal(tag.type, type);
    assert.equal(JSON.stringify(tag.value), json);
  }
});
