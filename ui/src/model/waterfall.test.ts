// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeLabel } from './bar-label.ts';
import { axisTicks } from './time-axis.ts';

test('a label stands right of its bar, else left, else on it, else nowhere', () => {
  const label = '1.24 ms'; // 59 px
  assert.equal(placeLabel(0, 0.5, 400, label), 'right');
  assert.equal(placeLabel(0.5, 1, 400, label), 'left');
  assert.equal(placeLabel(0, 1, 400, label), 'inside');
  assert.equal(placeLabel(0.45, 0.55, 100, label), 'none');
});

test('ticks are at round times and leave out labels that would not fit', () => {
  const labels = (totalUs: number, widthPx: number) =>
    axisTicks(totalUs, widthPx).map(({ label }) => label.replace('\u2009', ' '));
  assert.deepEqual(labels(1_240_000, 600), ['0', '500 ms', '1.00 s']);
  assert.deepEqual(labels(1000, 550), ['0', '200 µs', '400 µs', '600 µs', '800 µs', '']);
  assert.deepEqual(labels(3, 400), ['0', '1 µs', '2 µs', '']);
  assert.deepEqual(labels(600e6, 440), ['0', '5.00 min', '']);
  assert.deepEqual(labels(0, 440), ['0']);
});

test('no trace and no width gives many ticks', () => {
  for (let exponent = 0; exponent < 14; exponent += 0.25) {
    for (const width of [1, 150, 800, 2000]) {
      const ticks = axisTicks(10 ** exponent, width);
      assert.ok(ticks.length <= width / 110 + 2, `${ticks.length} ticks in ${width} px`);
    }
  }
});
