// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { span, spanId, traceId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { rowsByOwner } from './trace-owners.ts';

/** Traces of three spans each, the second and third not beside the first. */
const TRACES = 900;
const SPANS = batchOf(
  Array.from({ length: 3 * TRACES }, (_, i) =>
    span({ traceId: traceId(1 + (i < TRACES ? i : (i - TRACES) >> 1)), spanId: spanId(i + 1) }),
  ),
);
const OWNERS = ['10.0.0.1:4317', '10.0.0.2:4317', '10.0.0.3:4317'].map((name) => ({ name }));

/** Owner of each trace, by the last word of its id. */
function ownerOfTraces(batch: SpanBatch, owners: readonly { readonly name: string }[]): string[] {
  const names: string[] = [];
  const ids = new DataView(batch.traceId.buffer, batch.traceId.byteOffset);
  let rowCount = 0;
  for (const [{ name }, rows] of rowsByOwner(batch, owners)) {
    rowCount += rows.length;
    assert.deepEqual(
      rows,
      rows.toSorted((a, b) => a - b),
    );
    for (const row of rows) {
      const trace = ids.getUint32(row * 16 + 12) - 1;
      assert.equal(names[trace] ?? name, name, 'all spans of a trace have one owner');
      names[trace] = name;
    }
  }
  assert.equal(rowCount, batch.rows);
  return names;
}

test('traces have one owner each, evenly, whatever the order of the owners', () => {
  const names = ownerOfTraces(SPANS, OWNERS);
  assert.deepEqual(names, ownerOfTraces(SPANS, OWNERS.toReversed()));
  for (const { name } of OWNERS) {
    const count = names.filter((one) => one === name).length;
    assert.ok(count > 240 && count < 360, `${count} of ${TRACES} for ${name}`);
  }
});

test('when an owner is missing only its traces move, to all others', () => {
  const before = ownerOfTraces(SPANS, OWNERS);
  const after = ownerOfTraces(SPANS, OWNERS.slice(1));
  const moved = new Set<string>();
  for (const [trace, name] of before.entries()) {
    if (name === OWNERS[0]!.name) moved.add(after[trace]!);
    else assert.equal(after[trace], name);
  }
  assert.equal(moved.size, 2);
});
