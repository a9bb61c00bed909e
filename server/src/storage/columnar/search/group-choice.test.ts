// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { SpanReader } from '@spoor/core/model/span-reader.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import { compileGroupChoice, groupsOfOperations } from './group-choice.ts';
import { shopSpans, withBlock } from '../testing/block-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';

function is(name: 'service' | 'name', value: string): SpanPredicate {
  return { op: 'eq', field: { kind: 'intrinsic', name }, value: { type: 'string', value } };
}

test('the groups of a rare operation are known, those of a common one are not told', () =>
  withDirectory((dir) => {
    // Of 12,600 spans some hundred have names of their own, each in one trace.
    const spans = shopSpans(12_600, 600).map((one, i) =>
      i % 97 === 0 ? { ...one, name: `rare ${one.traceId.slice(0, 2)}` } : one,
    );
    withBlock(dir, [batchOf(spans)], (reader) => {
      const { length } = reader.footer.groups;
      const found = new Map<string, Set<number>>();
      for (let g = 0; g < length; g++) {
        const group = reader.group(g);
        const rows = new SpanReader(group);
        for (let row = 0; row < group.rows; row++) {
          const { name, resource } = rows.read(row);
          for (const key of [name, `${resource.serviceName}\n${name}`]) {
            found.set(key, (found.get(key) ?? new Set()).add(g));
          }
        }
      }
      let listed = 0;
      for (const [key, groups] of found) {
        const [name = '', service] = key.split('\n').toReversed();
        const predicate: SpanPredicate =
          service === undefined
            ? is('name', name)
            : { op: 'and', args: [is('service', service), is('name', name)] };
        const told = groupsOfOperations(reader, predicate);
        if (told === undefined) continue;
        listed++;
        assert.deepEqual(
          [...told.keys()].filter((g) => told[g] === 1),
          [...groups].sort((a, b) => a - b),
        );
      }
      assert.ok(listed > 100, `${listed} of ${found.size}`);
      assert.equal(groupsOfOperations(reader, is('service', 'service 1')), undefined);
      const nowhere: SpanPredicate = {
        op: 'and',
        args: [is('service', 'service 1'), is('name', 'none')],
      };
      assert.deepEqual(
        [...groupsOfOperations(reader, nowhere)!],
        Array.from({ length }, () => 0),
      );
      assert.equal(groupsOfOperations(reader, { op: 'not', arg: nowhere }), undefined);
    });
  }));

test('a value of few spans is in the groups that its index names and its codes have, and in no others', () =>
  withDirectory((dir) => {
    const spans = shopSpans(16_000, 800);
    withBlock(dir, [batchOf(spans)], (reader) => {
      const groups = [...reader.footer.groups.keys()];
      const found = new Map<string, Set<number>>();
      for (const g of groups) {
        const group = reader.group(g);
        const rows = new SpanReader(group);
        for (let row = 0; row < group.rows; row++) {
          const { value } = rows.read(row).attributes.find(({ key }) => key === 'user')!;
          assert.ok(value.type === 'string');
          found.set(value.value, (found.get(value.value) ?? new Set()).add(g));
        }
      }
      const user = (value: string): SpanPredicate => ({
        op: 'eq',
        field: { kind: 'attribute', scope: 'any', key: 'user' },
        value: { type: 'text', value },
      });
      const chosen = (predicate: SpanPredicate): number[] => {
        const choice = compileGroupChoice(predicate)(reader);
        return groups.filter((g) => (choice.groups & (1 << (g & 31))) !== 0 && choice.mayBeIn(g));
      };
      const users = [...found.keys()].filter((_, i) => i % 50 === 0);
      assert.ok(users.some((one) => found.get(one)!.size < groups.length));
      for (const [i, one] of users.entries()) {
        const other = users[(i * 7) % users.length]!;
        const [a, b] = [found.get(one)!, found.get(other)!];
        const sorted = (set: Set<number>): number[] => [...set].sort((x, y) => x - y);
        assert.deepEqual(chosen(user(one)), sorted(a));
        const args = [user(one), user(other)];
        assert.deepEqual(chosen({ op: 'or', args }), sorted(a.union(b)));
        assert.deepEqual(chosen({ op: 'and', args }), sorted(a.intersection(b)));
      }
      assert.deepEqual(chosen(user('nobody')), []);
      assert.deepEqual(chosen({ op: 'not', arg: user('nobody') }), groups);
    });
  }));
