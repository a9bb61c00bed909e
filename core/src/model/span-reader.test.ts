// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { decodeJson } from '#wire/otlp/testing/oracle.ts';
import { durationNanos, SpanReader, uint64 } from './span-reader.ts';

const IDS = '"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"';

function reader(text: string): SpanReader {
  return new SpanReader(decodeJson(text));
}

test('a span with everything is read as an object', () => {
  const attributes =
    '[{"key":"k","value":{"intValue":"5"}},{"key":"k","value":{"boolValue":true}}]';
  const expected = [
    { key: 'k', value: { type: 'int', value: 5n } },
    { key: 'k', value: { type: 'bool', value: true } },
  ];
  const span = reader(`{"resourceSpans":[{
    "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"first"}},
      {"key":"service.name","value":{"stringValue":"last"}}],"droppedAttributesCount":1},
    "schemaUrl":"r","scopeSpans":[{"scope":{"name":"n","version":"v","attributes":${attributes},
    "droppedAttributesCount":2},"schemaUrl":"s","spans":[{${IDS},
    "parentSpanId":"0000000000000000","traceState":"a=b","flags":257,"name":"op","kind":-3,
    "startTimeUnixNano":"18446744073709551615","endTimeUnixNano":"5",
    "attributes":${attributes},"droppedAttributesCount":3,"droppedEventsCount":4,
    "droppedLinksCount":4294967295,"status":{"code":300,"message":"m"},
    "events":[{"timeUnixNano":"7","name":"e","attributes":${attributes},"droppedAttributesCount":6},{}],
    "links":[{"traceId":"00000000000000000000000000000000","spanId":"0000000000000001",
      "traceState":"t","flags":1,"attributes":${attributes},"droppedAttributesCount":8},{}]}]}]}]}`).read(
    0,
  );
  assert.deepEqual(span, {
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    parentSpanId: '0000000000000000',
    traceState: 'a=b',
    flags: 257,
    name: 'op',
    kind: -3,
    startTimeUnixNano: 2n ** 64n - 1n,
    endTimeUnixNano: 5n,
    status: { code: 300, message: 'm' },
    attributes: expected,
    droppedAttributesCount: 3,
    events: [
      { timeUnixNano: 7n, name: 'e', attributes: expected, droppedAttributesCount: 6 },
      { timeUnixNano: 0n, name: '', attributes: [], droppedAttributesCount: 0 },
    ],
    droppedEventsCount: 4,
    links: [
      {
        traceId: '00000000000000000000000000000000',
        spanId: '0000000000000001',
        traceState: 't',
        flags: 1,
        attributes: expected,
        droppedAttributesCount: 8,
      },
      {
        traceId: '',
        spanId: '',
        traceState: '',
        flags: 0,
        attributes: [],
        droppedAttributesCount: 0,
      },
    ],
    droppedLinksCount: 4294967295,
    resource: {
      present: true,
      serviceName: 'last',
      attributes: [
        { key: 'service.name', value: { type: 'string', value: 'first' } },
        { key: 'service.name', value: { type: 'string', value: 'last' } },
      ],
      droppedAttributesCount: 1,
      schemaUrl: 'r',
    },
    scope: {
      present: true,
      name: 'n',
      version: 'v',
      attributes: expected,
      droppedAttributesCount: 2,
      schemaUrl: 's',
    },
  });
});

test('a span with nothing but its ids is read as empty', () => {
  const span = reader(`{"resourceSpans":[{"scopeSpans":[{"spans":[{${IDS}}]}]}]}`).read(0);
  assert.deepEqual(span, {
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    parentSpanId: '',
    traceState: '',
    flags: 0,
    name: '',
    kind: 0,
    startTimeUnixNano: 0n,
    endTimeUnixNano: 0n,
    status: undefined,
    attributes: [],
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
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
      schemaUrl: '',
    },
  });
});

test('a duration is negative where a span ends before it starts', () => {
  const span = (start: bigint, end: bigint): string =>
    `{${IDS},"startTimeUnixNano":"${start}","endTimeUnixNano":"${end}"}`;
  const now = 1_790_000_000_000_000_000n;
  const cases = [0n, 1n, -1n, 2n ** 32n, -(2n ** 32n), 2n ** 53n - 1n, -(2n ** 53n) + 1n];
  const spans = cases.map((duration) => span(now, now + duration));
  const batch = decodeJson(`{"resourceSpans":[{"scopeSpans":[{"spans":[${spans.join()}]}]}]}`);
  for (const [row, duration] of cases.entries()) {
    assert.equal(durationNanos(batch, row), Number(duration));
    assert.equal(uint64(batch.startLo[row]!, batch.startHi[row]!), now);
    assert.equal(new SpanReader(batch).read(row).endTimeUnixNano, now + duration);
  }
});
