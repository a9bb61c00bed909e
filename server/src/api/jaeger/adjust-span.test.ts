// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adjustProcess, adjustSpan } from './adjust-span.ts';
import type { JaegerKeyValue } from './jaeger-key-value.ts';
import type { JaegerReference, JaegerSpan } from './jaeger-span.ts';

const SPAN: JaegerSpan = {
  traceID: 'aa',
  spanID: '01',
  operationName: 'x',
  references: [],
  startTime: 1,
  duration: 1,
  tags: [],
  logs: [],
  processID: 'p1',
  warnings: null,
};

function tag(key: string, value: unknown, type: JaegerKeyValue['type']): JaegerKeyValue {
  return { key, type, value };
}

test('tags are sorted by key in code points, then by type, and fields behind the name of the event', () => {
  const error = tag('error', true, 'bool');
  const text = tag('error', 'late', 'string');
  const number = tag('error', 1, 'float64');
  const event = tag('event', 'retry', 'string');
  const noName = tag('event', 7, 'int64');
  const [far, near] = [tag('\u{1f600}', '', 'string'), tag('\uff5e', '', 'string')];
  const adjusted = adjustSpan({
    ...SPAN,
    tags: [far, near, number, error, text],
    logs: [
      { timestamp: 1, fields: [noName, error, event, text] },
      { timestamp: 2, fields: [noName, error] },
    ],
  });
  assert.deepEqual(adjusted.tags, [text, error, number, near, far]);
  assert.deepEqual(
    adjusted.logs.map(({ fields }) => fields),
    [
      [event, text, error, noName],
      [error, noName],
    ],
  );
});

test('addresses that are numbers become texts, others stay', () => {
  const tags = [
    tag('ip', 0xffffff01, 'int64'),
    tag('peer.ipv4', 16909060, 'float64'),
    tag('peer.ipv6', 1, 'int64'),
    tag('x', 16909060, 'int64'),
  ];
  assert.deepEqual(
    adjustProcess({ serviceName: 's', tags }).tags.map(
      ({ type, value }) => `${type} ${String(value)}`,
    ),
    ['string 255.255.255.1', 'string 1.2.3.4', 'int64 1', 'int64 16909060'],
  );
  const same = [tag('ip', '1.2.3.4', 'string'), tag('peer.ipv4', 'NaN', 'float64')];
  assert.deepEqual(adjustSpan({ ...SPAN, tags: same }).tags, same);
});

test('the first reference is the parent, or else the first into the trace', () => {
  const to = (traceID: string, refType: JaegerReference['refType']): JaegerReference => ({
    traceID,
    refType,
    spanID: '02',
  });
  const [away, follows, child] = [
    to('bb', 'CHILD_OF'),
    to('aa', 'FOLLOWS_FROM'),
    to('aa', 'CHILD_OF'),
  ];
  const order = (...references: JaegerReference[]): unknown =>
    adjustSpan({ ...SPAN, references }).references;
  assert.deepEqual(order(away, follows, child), [child, follows, away]);
  assert.deepEqual(order(away, follows), [follows, away]);
  assert.deepEqual(order(child, away), [child, away]);
  assert.deepEqual(order(away), [away]);
});
