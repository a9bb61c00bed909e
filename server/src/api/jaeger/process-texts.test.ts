// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { symbolBytes } from '@spoor/core/model/span-reader.ts';
import { resource, span } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { ProcessTexts } from './process-texts.ts';

/** Tables of one resource each. */
function resources(...names: string[]) {
  return names.map((name) => batchOf([span({ resource: resource(name) })]).resources);
}

test('the text of a resource is made once for all answers, for each form', () => {
  const [shop, again, cart] = resources('shop', 'shop', 'cart');
  const texts = new ProcessTexts();
  let made = 0;
  const get = (table: typeof shop, form: string): string =>
    texts.get(table!, 0, form, () => `text ${++made}`);
  assert.equal(get(shop, ''), 'text 1');
  assert.equal(get(again, ''), 'text 1');
  assert.equal(get(shop, 'raw'), 'text 2');
  assert.equal(get(cart, ''), 'text 3');
  assert.equal(get(again, 'raw'), 'text 2');
});

test('of endless resources, and of long ones, no texts are heaped up', () => {
  const texts = new ProcessTexts();
  const many = batchOf(
    Array.from({ length: 1025 }, (_, i) => span({ resource: resource(`service ${i}`) })),
  ).resources;
  for (let code = 0; code < many.count; code++) texts.get(many, code, '', () => 'old');
  assert.equal(
    texts.get(many, 0, '', () => 'new'),
    'new',
  );
  assert.equal(
    texts.get(many, 1024, '', () => 'new'),
    'old',
  );
  const [long] = resources('x'.repeat(5000));
  texts.get(long!, 0, '', () => 'old');
  assert.equal(
    texts.get(long!, 0, '', () => 'new'),
    'new',
  );
});

test('a short resource that makes a long text is not kept', () => {
  const nothing = { key: '', value: { type: 'absent' } } as const;
  const attributes = Array(2040).fill(nothing);
  const { resources: table } = batchOf([span({ resource: { ...resource(''), attributes } })]);
  assert.ok(symbolBytes(table, 0).length < 4096);
  const texts = new ProcessTexts();
  let made = 0;
  const make = (): string => {
    made++;
    return '{"key":"","type":"string","value":""},'.repeat(2040);
  };
  texts.get(table, 0, '', make);
  texts.get(table, 0, '', make);
  assert.equal(made, 2);
});
