// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { attributes, resource, span, traceId } from '@spoor/core/query/testing/example-span.ts';
import { ATTRIBUTE_LIMITS } from './attribute-sums.ts';
import { type StoreHarness, writeSpans } from './testing/store-harness.ts';
import type { AttributeValuesQuery } from './tracestore.ts';

type WithStore = (body: (harness: StoreHarness) => Promise<void>) => Promise<void>;

function valuesOf(name: string, more: Partial<AttributeValuesQuery> = {}): AttributeValuesQuery {
  const window = { startMinUnixNano: 0n, startMaxUnixNano: 2n ** 63n };
  return { ...window, scope: 'span', name, prefix: '', limit: 10, ...more };
}

/** Spans with one attribute of each of these values. */
function spansWith(values: readonly string[], firstTrace = 1): Span[] {
  return values.map((value, i) =>
    span({ traceId: traceId(firstTrace + i), attributes: attributes({ statement: value }) }),
  );
}

/** How names and values of attributes are listed. */
export function testAttributes(name: string, withStore: WithStore): void {
  test(`${name}: names and values that are longer than may be listed are left out, and the answer says so`, () =>
    withStore(async (harness) => {
      const { textLength } = ATTRIBUTE_LIMITS;
      const [long, longer] = ['é'.repeat(textLength), 'x'.repeat(textLength + 1)];
      const own = resource('shop', { version: longer, [longer]: 'x', [long]: 'x' });
      await writeSpans(harness.store, [
        ...spansWith([long, longer, 'short', longer]),
        span({ traceId: traceId(9), resource: own, attributes: attributes({ [longer]: 1n }) }),
      ]);
      await harness.always(async (store) => {
        const ask = async (query: AttributeValuesQuery) => {
          const { entries, isComplete } = await store.getAttributeValues(DEFAULT_TENANT, query);
          return [entries.map(({ value }) => value), isComplete];
        };
        assert.deepEqual(await ask(valuesOf('statement')), [['short', long], false]);
        assert.deepEqual(await ask(valuesOf('statement', { prefix: 's' })), [['short'], true]);
        assert.deepEqual(await ask(valuesOf('version', { scope: 'resource' })), [[], false]);
        const names = await store.getAttributeNames(DEFAULT_TENANT, valuesOf(''));
        assert.deepEqual(
          names.entries.map((one) => [one.name, one.count]),
          [
            ['service.name', 5],
            ['statement', 4],
            ['version', 1],
            [long, 1],
          ],
        );
        assert.equal(names.isComplete, false);
      });
    }));

  test(`${name}: of values of more characters than are kept the frequent ones are listed`, () =>
    withStore(async (harness) => {
      const { textLength, keptLength } = ATTRIBUTE_LIMITS;
      const count = Math.ceil(1.1 * (keptLength / textLength));
      const rare = Array.from({ length: count }, (_, i) => `${i} `.padEnd(textLength, 'rare '));
      const often = Array.from({ length: 20 }, () => 'often');
      await writeSpans(harness.store, spansWith([...often.slice(0, 10), ...rare]));
      await writeSpans(harness.store, spansWith(often.slice(10), 2 * count));
      await harness.always(async (store) => {
        const query = valuesOf('statement', { limit: 1 });
        const all = await store.getAttributeValues(DEFAULT_TENANT, { ...query, limit: 2 * count });
        assert.deepEqual(all.entries[0], { value: 'often', type: 'string', count: 20 });
        assert.ok(all.entries.length > 1 && all.entries.length < count);
        assert.equal(all.isComplete, false);
        const one = { ...query, prefix: '7 rare' };
        const { entries, isComplete } = await store.getAttributeValues(DEFAULT_TENANT, one);
        assert.deepEqual([entries.map(({ value }) => value), isComplete], [[rare[7]], true]);
      });
    }));

  test(`${name}: names and values are those of their question, whatever is written while they are counted`, () =>
    withStore(async (harness) => {
      const { store } = harness;
      // Small ones behind a large one may be joined with what comes.
      let spans = 0;
      for (const count of [2000, 100, 50, 25]) {
        await writeSpans(store, spansWith(Array(count).fill('before'), spans + 1));
        spans += count;
      }
      for (let round = 0; round < 5; round++) {
        const values = store.getAttributeValues(DEFAULT_TENANT, valuesOf('statement'));
        const names = store.getAttributeNames(DEFAULT_TENANT, valuesOf('statement'));
        await writeSpans(store, spansWith(Array(90).fill('during'), spans + 1));
        const [{ entries }, { entries: all }] = await Promise.all([values, names]);
        const before = entries.find(({ value }) => value === 'before')?.count;
        assert.equal(before, 2175, `round ${round}`);
        // It is as if what came was there, or not, as a whole.
        for (const found of [
          entries.reduce((sum, { count }) => sum + count, 0),
          all.find((one) => one.name === 'statement')?.count,
        ]) {
          assert.ok(
            found === spans || found === spans + 90,
            `round ${round}: ${found} of ${spans}`,
          );
        }
        spans += 90;
      }
    }));
}
