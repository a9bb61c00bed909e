// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ValueType } from '@spoor/core/model/attributes.ts';
import { attributes, span } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { TextAllowance } from './text-allowance.ts';
import { ValueTexts } from './value-texts.ts';

test('a short text is made once, a long one each time', () => {
  const { values } = batchOf([
    span({ attributes: attributes({ short: '\n', long: '\n'.repeat(128) }) }),
  ]);
  const texts = new ValueTexts(values, new TextAllowance());
  const get = (): string[] => [0, 1].map((entry) => texts.get(ValueType.string, entry));
  assert.deepEqual(get(), ['"\\n"', `"${'\\n'.repeat(128)}"`]);
  // What is made after this shows it.
  values.bytes.fill(0x09);
  assert.deepEqual(get(), ['"\\n"', `"${'\\t'.repeat(128)}"`]);
});
