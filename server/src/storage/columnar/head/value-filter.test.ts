// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeText } from '@spoor/core/model/utf8.ts';
import { hashBytes } from '@spoor/core/model/symbol-interner.ts';
import { attributes, event, span } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { ValueFilter } from './value-filter.ts';

function mayHave(filter: ValueFilter, text: string): boolean {
  const bytes = encodeText(text);
  return filter.mayHave(hashBytes(bytes, 0, bytes.length));
}

test('a filter has all texts of spans and events, also where each is another, and hardly anything else', () => {
  const spans = Array.from({ length: 2000 }, (_, i) =>
    span({
      attributes: attributes({ user: `user ${i % 7}`, order: `order ${i}` }),
      events: [event('paid', { bill: `bill ${i}` })],
    }),
  );
  const filter = new ValueFilter(batchOf(spans));
  assert.equal(filter.hasArrays, false);
  for (let i = 0; i < 2000; i++) {
    for (const text of [`user ${i % 7}`, `order ${i}`, `bill ${i}`]) {
      assert.ok(mayHave(filter, text), text);
    }
  }
  let wrong = 0;
  for (let i = 0; i < 10_000; i++) if (mayHave(filter, `other ${i}`)) wrong++;
  assert.ok(wrong < 300, `${wrong} of 10,000`);
});

test('a batch without attributes has none, and one with an array says so', () => {
  const none = new ValueFilter(batchOf([span()]));
  assert.equal(mayHave(none, ''), false);
  assert.equal(none.hasArrays, false);
  const list = new ValueFilter(batchOf([span({ attributes: attributes({ ids: ['a', 'b'] }) })]));
  assert.equal(list.hasArrays, true);
});
