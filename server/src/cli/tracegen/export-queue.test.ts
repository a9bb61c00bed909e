// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countSpans } from './corpus-file.ts';
import { ExportQueue, type ExportSource } from './export-queue.ts';

const source = (phaseRatio: number): ExportSource => ({
  resource: Uint8Array.of(0x0a, 0),
  scopes: [new Uint8Array(0)],
  phaseRatio,
});

function add(queue: ExportQueue, from: ExportSource, endNanos: number): void {
  const slot = queue.writer(from, 0, endNanos);
  slot.writer.field(0x12, Uint8Array.of(1, 2, 3));
  queue.added(slot);
}

test('a span leaves with the next export of its source', () => {
  const queue = new ExportQueue(100, 1);
  const early = source(0.1);
  const late = source(0.9);
  add(queue, late, 5);
  add(queue, early, 5);
  add(queue, early, 15);
  const times = [10, 11, 90, 91, 110, 111].map((now) => [...queue.take(now)].length);
  assert.deepEqual(times, [0, 1, 0, 1, 0, 1]);
});

test('requests are full but for the last', () => {
  const queue = new ExportQueue(100, 4);
  const sources = [source(0.2), source(0.4), source(0.6)];
  for (let i = 0; i < 22; i++) add(queue, sources[i % 3]!, i);
  const requests = [...queue.take(Number.POSITIVE_INFINITY)];
  assert.deepEqual(
    requests.map((request) => request.spans),
    [4, 4, 4, 4, 4, 2],
  );
  for (const { body, spans } of requests) assert.equal(countSpans(body), spans);
});

test('what is held back is bounded', () => {
  const queue = new ExportQueue(1e12, 512);
  const from = source(0.5);
  let taken = 0;
  for (let i = 0; i < 200_000; i++) {
    add(queue, from, 0);
    for (const { spans } of queue.take(0)) taken += spans;
    assert.ok(i - taken < 70_000);
  }
});
