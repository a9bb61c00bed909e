// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  clipRanges,
  decodeRanges,
  encodeRanges,
  type StartRange,
  StartRanges,
} from './start-ranges.ts';

const HOUR = 3_600_000_000_000n;
const NOW = 1_763_800_000_000_000_000n;

function rangesOf(starts: readonly bigint[]): StartRange[] {
  const ranges = new StartRanges();
  const columns = {
    startHi: Uint32Array.from(starts, (start) => Number(start >> 32n)),
    startLo: Uint32Array.from(starts, (start) => Number(start & 0xffffffffn)),
  };
  // In two calls, since blocks are written group by group.
  const half = starts.length >> 1;
  ranges.add(
    columns,
    Uint32Array.from({ length: half }, (_, i) => i),
  );
  ranges.add(
    columns,
    Uint32Array.from({ length: starts.length - half }, (_, i) => half + i),
  );
  return ranges.finish();
}

test('a few odd starts have ranges of their own', () => {
  const usual = Array.from({ length: 100 }, (_, i) => NOW + (BigInt(i) * HOUR) / 10n);
  const day = 24n * HOUR;
  const odd = [0n, 5n, NOW - 9n * day, 2n ** 63n, 2n ** 64n - 1n];
  assert.deepEqual(rangesOf([...odd, ...usual].toReversed()), [
    { min: 0n, max: 5n },
    { min: NOW - 9n * day, max: NOW - 9n * day },
    { min: usual[0], max: usual.at(-1) },
    { min: 2n ** 63n, max: 2n ** 63n },
    { min: 2n ** 64n - 1n, max: 2n ** 64n - 1n },
  ]);
  assert.deepEqual(rangesOf([]), []);
});

test('every start is in one of at most eight ranges, which end at starts and do not overlap', () => {
  const start = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: NOW, max: NOW + 100n * HOUR }),
    fc.constantFrom(0n, NOW, 2n ** 64n - 1n),
  );
  fc.assert(
    fc.property(fc.array(start, { minLength: 1, maxLength: 60 }), (starts) => {
      const ranges = rangesOf(starts);
      assert.ok(ranges.length <= 8);
      ranges.forEach(({ min, max }, i) => {
        assert.ok(min <= max && starts.includes(min) && starts.includes(max));
        assert.ok(i === 0 || ranges[i - 1]!.max < min);
      });
      for (const one of starts) {
        assert.ok(ranges.some(({ min, max }) => min <= one && one <= max));
      }
    }),
  );
});

test('starts of a hundred thousand different days are ranges in a moment', () => {
  const starts = Array.from({ length: 100_000 }, (_, i) => BigInt(i) << 47n);
  assert.equal(rangesOf(starts).length, 8);
});

test('what of ranges is in a window is told exactly', () => {
  const ranges = decodeRanges(encodeRanges(rangesOf([0n, NOW, NOW + HOUR, 2n ** 63n])));
  const clip = (startMinUnixNano: bigint, startMaxUnixNano: bigint) =>
    clipRanges(ranges, { startMinUnixNano, startMaxUnixNano });
  const [late, none] = [NOW + HOUR, undefined];
  const told = (latest: bigint | undefined, isEarlyInside: boolean, isLateInside: boolean) => ({
    latest,
    isEarlyInside,
    isLateInside,
  });
  assert.deepEqual(clip(late, NOW + 2n * HOUR), told(late, false, false));
  assert.deepEqual(clip(late + 1n, 2n ** 63n), told(none, false, false));
  assert.deepEqual(clip(1n, NOW), told(none, false, false));
  assert.deepEqual(clip(0n, 2n ** 63n), told(late, true, false));
  assert.deepEqual(clip(1n, 2n ** 64n), told(2n ** 63n, false, true));
  assert.deepEqual(clip(0n, 2n ** 63n + 1n), told(2n ** 63n, true, true));
});
