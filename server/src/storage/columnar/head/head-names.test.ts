// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resource, scope, span } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { HeadNames } from './head-names.ts';

/** Operations of all services, as text. */
function operationsOf({ operations }: HeadNames): string[] | undefined {
  if (operations === undefined) return undefined;
  return [...operations.services]
    .flatMap((service) =>
      [...operations.operationsOf(service)].map(
        ([name, kinds]) => `${service}, ${name}: ${[...kinds].sort((a, b) => a - b).join(' ')}`,
      ),
    )
    .sort();
}

test('services, operations and keys of all batches are known, whatever codes they have in each', () => {
  const names = new HeadNames();
  assert.deepEqual(operationsOf(names), []);
  names.add(
    batchOf([
      span({ name: 'a', kind: 2, resource: resource('cart', { zone: 'north' }) }),
      span({ name: 'a', kind: 3, resource: resource('cart', { zone: 'south' }) }),
      span({ name: 'b', kind: 300, resource: resource('shop') }),
      span({ name: 'b', kind: 2, resource: resource('') }),
    ]),
  );
  names.add(
    batchOf([
      span({ name: 'b', kind: -1, resource: resource('shop'), scope: scope('s', { tier: 1n }) }),
      span({ name: 'a', kind: 2, resource: resource('cart', { zone: 'north' }) }),
      span({ name: 'c', kind: 2, resource: resource('cart', { zone: 'north' }) }),
    ]),
  );
  assert.deepEqual(operationsOf(names), [
    ', b: 2',
    'cart, a: 2 3',
    'cart, c: 2',
    'shop, b: -1 300',
  ]);
  const keys = ['service.name', 'tier', 'user', 'zone'];
  assert.deepEqual(
    keys.filter((key) => names.mayShareKey(key)),
    ['service.name', 'tier', 'zone'],
  );
});

test('what names too much to be kept is not told any more', () => {
  const names = new HeadNames(20_000);
  const add = (count: number): void =>
    names.add(batchOf(Array.from({ length: count }, (_, i) => span({ name: `operation ${i}` }))));
  add(20);
  add(20);
  assert.equal(operationsOf(names)?.length, 20);
  assert.equal(names.mayShareKey('user'), false);
  add(200);
  add(20);
  assert.equal(operationsOf(names), undefined);
  assert.equal(names.mayShareKey('user'), true);
});
