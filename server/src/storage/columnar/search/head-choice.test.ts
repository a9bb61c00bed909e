// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePredicate, evaluate } from '@spoor/core/query/predicate.ts';
import { arbitraryPredicate } from '@spoor/core/query/testing/arbitrary-predicate.ts';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
import { attributes, resource, scope, span } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import type { QueryLiteral, SpanPredicate } from '@spoor/core/query/trace-query.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { HeadBatch } from '../head/head-batch.ts';
import { HeadPart } from '../head/head-part.ts';
import { compileHeadChoice } from './head-choice.ts';

/** Whether each batch of a part may have a span that meets a predicate. */
function choose(part: HeadPart, predicate: SpanPredicate): boolean[] {
  const mayHave = compileHeadChoice(predicate)(part);
  return part.batches.map((batch) => mayHave?.(batch) ?? false);
}

function partOf(...batches: readonly (readonly Span[])[]): HeadPart {
  return HeadPart.of(batches.map((spans) => new HeadBatch(batchOf(spans))));
}

test('a batch with a span that meets a predicate is always chosen', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(arbitrarySpan, { minLength: 1, maxLength: 8 }), { maxLength: 4 }),
      fc.array(arbitraryPredicate, { minLength: 1, maxLength: 12 }),
      (batches, predicates) => {
        const part = partOf(...batches);
        for (const predicate of predicates) {
          const chosen = choose(part, predicate);
          const compiled = compilePredicate(predicate);
          part.batches.forEach(({ batch }, at) => {
            if (evaluate(compiled, batch, undefined).length > 0) {
              assert.ok(chosen[at], fc.stringify(predicate));
            }
          });
        }
      },
    ),
    { numRuns: 150 },
  );
});

/** Fails where somebody asks what its batches name. */
class UnnamedHeadPart extends HeadPart {
  override get names(): never {
    return assert.fail('names were read');
  }
}

test('what a part names is not read where no service and no shared attribute is looked for', () => {
  const part = new UnnamedHeadPart();
  part.add(new HeadBatch(batchOf([span()])));
  const named: SpanPredicate = {
    op: 'eq',
    field: { kind: 'intrinsic', name: 'name' },
    value: { type: 'text', value: 'pay' },
  };
  const having: SpanPredicate = {
    op: 'eq',
    field: { kind: 'attribute', scope: 'span', key: 'user' },
    value: { type: 'text', value: 'eve' },
  };
  assert.deepEqual(choose(part, { op: 'and', args: [] }), [true]);
  assert.deepEqual(choose(part, named), [true]);
  assert.deepEqual(choose(part, { op: 'or', args: [having] }), [false]);
});

test('batches that have not the service, operation or text that is looked for are not looked into', () => {
  const part = partOf(
    [
      span({ name: 'pay', attributes: attributes({ user: 'ann' }) }),
      span({ name: 'ship', resource: resource('cart', { zone: 'north' }) }),
    ],
    [span({ name: 'ship', attributes: attributes({ user: 'bob', ids: ['cid'] }) })],
    [span({ scope: scope('library', { tier: 'one' }) })],
  );
  const text = (value: string): QueryLiteral => ({ type: 'text', value });
  const named = (name: 'service' | 'name', value: string): SpanPredicate => ({
    op: 'eq',
    field: { kind: 'intrinsic', name },
    value: text(value),
  });
  const having = (
    key: string,
    value: string,
    place: 'any' | 'span' | 'resource' = 'any',
  ): SpanPredicate => ({
    op: 'eq',
    field: { kind: 'attribute', scope: place, key },
    value: text(value),
  });
  const all = [true, true, true];
  const none = [false, false, false];
  assert.deepEqual(choose(part, named('service', 'cart')), all);
  assert.deepEqual(choose(part, named('service', 'nobody')), none);
  const both = (name: string): SpanPredicate => ({
    op: 'and',
    args: [named('service', 'cart'), named('name', name)],
  });
  assert.deepEqual(choose(part, both('ship')), all);
  assert.deepEqual(choose(part, both('pay')), none);
  // An array of the second batch may have it.
  assert.deepEqual(choose(part, having('user', 'ann')), [true, true, false]);
  assert.deepEqual(choose(part, having('user', 'ann', 'resource')), none);
  assert.deepEqual(choose(part, having('user', 'true')), all);
  assert.deepEqual(choose(part, having('user', '4e2')), all);
  // Begins like a number.
  assert.deepEqual(choose(part, having('user', '4e2b')), [false, true, false]);
  assert.deepEqual(choose(part, having('zone', 'south')), all);
  assert.deepEqual(choose(part, having('tier', 'two')), all);
  assert.deepEqual(choose(part, having('zone', 'south', 'span')), [false, true, false]);
  const either: SpanPredicate = { op: 'or', args: [both('pay'), having('user', 'ann', 'span')] };
  assert.deepEqual(choose(part, either), [true, true, false]);
  const neither: SpanPredicate = { op: 'and', args: [both('ship'), having('user', 'eve', 'span')] };
  assert.deepEqual(choose(part, neither), [false, true, false]);
  assert.deepEqual(choose(part, { op: 'not', arg: both('pay') }), all);
});
