// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { rowKeys, rowTexts } from './block-fixture.ts';

/** What a block must hold: each distinct span once, by trace id, start and span id, and among equals by content. */
function expectedRows(batches: readonly SpanBatch[]): { key: string; text: string }[] {
  const distinct = new Map<string, string>();
  for (const batch of batches) {
    const keys = rowKeys(batch);
    rowTexts(batch).forEach((text, row) => distinct.set(text, keys[row]!));
  }
  return [...distinct].map(([text, key]) => ({ key, text })).sort(byKeyAndText);
}

function byKeyAndText(a: { key: string; text: string }, b: { key: string; text: string }): number {
  const [aText, bText] = [a.key + a.text, b.key + b.text];
  return aText < bText ? -1 : aText > bText ? 1 : 0;
}

/** Checks that a block holds what its batches held, read as a whole and trace by trace. */
export function assertHolds(reader: BlockReader, batches: readonly SpanBatch[]): void {
  const { footer } = reader;
  const found: { key: string; text: string }[] = [];
  let traces = 0;
  for (let g = 0; g < footer.groups.length; g++) {
    const group = reader.group(g);
    const [keys, texts] = [rowKeys(group), rowTexts(group)];
    assert.equal(group.traceStarts.at(-1), group.rows);
    for (let t = 0; t < group.traces; t++) {
      const [start, end] = [group.traceStarts[t]!, group.traceStarts[t + 1]!];
      const id = keys[start]!.slice(0, 32);
      assert.ok(keys.slice(start, end).every((key) => key.startsWith(id)));
      assert.equal(group.traceIds.subarray(t * 16, t * 16 + 16).toHex(), id);
      assert.equal(group.findTrace(group.traceIds.subarray(t * 16, t * 16 + 16)), t);
      assert.deepEqual(rowTexts(group.slice(start, end)), texts.slice(start, end));
    }
    traces += group.traces;
    keys.forEach((key, row) => found.push({ key, text: texts[row]! }));
  }
  const expected = expectedRows(batches);
  const keysFound = found.map(({ key }) => key);
  assert.deepEqual(keysFound, keysFound.toSorted(), 'the rows are not in order');
  assert.deepEqual(found.sort(byKeyAndText), expected);
  assert.equal(footer.rows, expected.length);
  assert.equal(footer.traces, traces);
  assert.equal(new Set(keysFound.map((key) => key.slice(0, 32))).size, traces);
  const starts = keysFound.map((key) => key.slice(33, 49)).sort();
  assert.equal(reader.minStartUnixNano, BigInt(`0x${starts[0]}`));
  assert.equal(reader.maxStartUnixNano, BigInt(`0x${starts.at(-1)}`));
}
