// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { SpanReader } from '@spoor/core/model/span-reader.ts';
import { ROOT, batchOf } from '#api/testing/api-fixture.ts';
import { SharedSpanIds } from './shared-span-ids.ts';

/** A span by the last digit of its id and of its parent's. */
function span(id: string, parentSpanId: string, kind: number, name: string): object {
  const full = (digit: string): string => digit && digit.padStart(16, '0');
  return { ...ROOT, spanId: full(id), parentSpanId: full(parentSpanId), kind, name };
}

function find(batch: SpanBatch, separate: boolean): SharedSpanIds {
  const search = SharedSpanIds.find(batch, separate);
  let step = search.next();
  while (!step.done) step = search.next();
  return step.value;
}

/** `name id<parent` and warnings of each span. */
function placed(separate: boolean, ...spans: object[]): string[] {
  const batch = batchOf({ scopeSpans: [{ spans }] });
  const shared = find(batch, separate);
  const reader = new SpanReader(batch);
  return Array.from({ length: batch.rows }, (_, row) => {
    const shown = shared.place(reader.read(row), row);
    const last = (id: string): string => id.slice(-1);
    const edge = `${shown.name} ${last(shown.spanId)}<${last(shown.parentSpanId)}`;
    return [edge, ...shared.warnings(shown)].join(', ');
  });
}

const SERVER = 2;
const CLIENT = 3;

test('a server that shares the id of a client gets a free one below it, and the children', () => {
  const trace = [
    span('1', '', SERVER, 'root'),
    span('2', '1', CLIENT, 'call'),
    span('2', '1', SERVER, 'serve'),
    span('4', '2', 1, 'work'),
  ];
  assert.deepEqual(placed(true, ...trace), ['root 1<', 'call 2<1', 'serve 3<2', 'work 4<3']);
  assert.deepEqual(placed(false, ...trace), [
    'root 1<',
    'call 2<1, 2 different spans have this span id',
    'serve 2<1, 2 different spans have this span id',
    'work 4<2',
  ]);
});

test('of several servers the first has the children', () => {
  assert.deepEqual(
    placed(
      true,
      span('8', '', CLIENT, 'call'),
      span('8', '', SERVER, 'one'),
      span('8', '', SERVER, 'two'),
      span('9', '8', 1, 'work'),
    ),
    ['call 8<', 'one 1<8', 'two 2<8', 'work 9<1'],
  );
});

test('spans that share an id otherwise keep it and are told of', () => {
  assert.deepEqual(
    placed(
      true,
      span('5', '', CLIENT, 'a'),
      span('5', '', CLIENT, 'b'),
      span('5', '', SERVER, 'c'),
      span('6', '', SERVER, 'd'),
      span('6', '', SERVER, 'e'),
    ),
    [
      'a 5<, 2 different spans have this span id',
      'b 5<, 2 different spans have this span id',
      'c 1<5',
      'd 6<, 2 different spans have this span id',
      'e 6<, 2 different spans have this span id',
    ],
  );
});

test('a link that says what kind of parent a span has stays with the parent', () => {
  const link = { traceId: ROOT.traceId, spanId: '2'.padStart(16, '0') };
  const other = { ...link, spanId: '9'.padStart(16, '0') };
  const batch = batchOf({
    scopeSpans: [
      {
        spans: [
          span('2', '', CLIENT, 'call'),
          span('2', '', SERVER, 'serve'),
          { ...span('4', '2', 1, 'work'), links: [other, link] },
        ],
      },
    ],
  });
  const { links, parentSpanId } = find(batch, true).place(new SpanReader(batch).read(2), 2);
  assert.deepEqual(
    links.map(({ spanId }) => spanId),
    [other.spanId, parentSpanId],
  );
});
