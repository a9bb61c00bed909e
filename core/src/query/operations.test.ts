// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareCodePoints, sortCodePoints } from './code-point-order.ts';
import { OperationCollector, ServiceCollector } from './operations.ts';
import { resource, span, spanId } from './testing/example-span.ts';
import { batchOf } from './testing/span-body.ts';

test('services of all sources are listed by code point, that of spans without one as an empty name', () => {
  const collector = new ServiceCollector();
  collector.add(
    batchOf([span({ resource: resource('\u{1f600}') }), span({ resource: resource('') })]),
  );
  collector.add(
    batchOf([span({ resource: resource('\uff5e') }), span({ resource: resource('a') })]),
  );
  assert.deepEqual(collector.names(), ['', 'a', '\uff5e', '\u{1f600}']);
});

test('a service whose only span was left out is not listed', () => {
  const invalid = span({ resource: resource('ghost'), spanId: spanId(0) });
  const collector = new ServiceCollector();
  collector.add(batchOf([invalid, span()]));
  assert.deepEqual(collector.names(), ['shop']);
});

test('operations are the distinct names and kinds of one service, odd kinds among them', () => {
  const collector = new OperationCollector('shop');
  collector.add(
    batchOf([
      span({ name: 'b', kind: 300 }),
      span({ name: 'b', kind: 2 }),
      span({ name: 'b', kind: -1 }),
      span({ name: 'a', kind: 3 }),
      span({ name: 'a', kind: 3 }),
      span({ name: 'elsewhere', resource: resource('cart') }),
    ]),
  );
  collector.add(batchOf([span({ name: 'a', kind: 3 }), span({ name: 'a', kind: 0 })]));
  assert.deepEqual(
    [...collector.operations()],
    [
      { name: 'a', kind: 0 },
      { name: 'a', kind: 3 },
      { name: 'b', kind: -1 },
      { name: 'b', kind: 2 },
      { name: 'b', kind: 300 },
    ],
  );
});

test('texts are ordered by code point, not by UTF-16 unit', () => {
  const texts = ['\u{10000}', '\uffff', '\ue000', 'b', 'ab', 'a', ''];
  assert.deepEqual(texts.toSorted(compareCodePoints), texts.toReversed());
  for (let i = 0; i < texts.length; i++) {
    assert.deepEqual(sortCodePoints(texts.slice(i)), texts.slice(i).reverse());
  }
});
