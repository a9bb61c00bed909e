// SPDX-License-Identifier: Apache-2.0
import type { SpanColumns } from '@spoor/core/model/span-columns.ts';
import type { TimeWindow } from '@spoor/core/query/time-window.ts';

/** Starts in `[min, max]`, Unix epoch ns, both ends included. */
export interface StartRange {
  readonly min: bigint;
  readonly max: bigint;
}

/** The start's high word without these bits counts spells of 19.5 hours: starts in one spell, or in two that adjoin, are one range. */
const SPELL_SHIFT = 14;

/** Ranges of a block: that of its time, and some before and after it. More are joined where the gap is smallest. */
const MAX_RANGES = 8;

/**
 * The ranges in which spans start. Some spans of any block are days late or dated 1970 or 2262: bounds over all of them would say
 * that the block may have spans of any time.
 */
export class StartRanges {
  /** Per spell, the earliest and latest start: high, low, high, low. */
  readonly #spells = new Map<number, Uint32Array<ArrayBuffer>>();
  #lastSpell = -1;
  #last = new Uint32Array(0);

  /** Takes rows of columns. */
  add({ startHi, startLo }: Pick<SpanColumns, 'startHi' | 'startLo'>, rows: Uint32Array): void {
    for (const row of rows) {
      const hi = startHi[row]!;
      const lo = startLo[row]!;
      const last = hi >>> SPELL_SHIFT === this.#lastSpell ? this.#last : this.#spell(hi);
      if (hi < last[0]! || (hi === last[0] && lo < last[1]!)) {
        last[0] = hi;
        last[1] = lo;
      }
      if (hi > last[2]! || (hi === last[2] && lo > last[3]!)) {
        last[2] = hi;
        last[3] = lo;
      }
    }
  }

  #spell(hi: number): Uint32Array<ArrayBuffer> {
    this.#lastSpell = hi >>> SPELL_SHIFT;
    let spell = this.#spells.get(this.#lastSpell);
    if (spell === undefined) {
      spell = Uint32Array.of(0xffffffff, 0xffffffff, 0, 0);
      this.#spells.set(this.#lastSpell, spell);
    }
    return (this.#last = spell);
  }

  /** The ranges, ascending; none when there was no row. */
  finish(): StartRange[] {
    const spells = [...this.#spells]
      .sort(([a], [b]) => a - b)
      .map(([number, [minHi, minLo, maxHi, maxLo]]) => ({
        number,
        min: join(minHi!, minLo!),
        max: join(maxHi!, maxLo!),
      }));
    const gap = (i: number): bigint => spells[i]!.min - spells[i - 1]!.max;
    const cuts = spells
      .map((_, i) => i)
      .filter((i) => i > 0 && spells[i]!.number > spells[i - 1]!.number + 1)
      .sort((a, b) => (gap(a) > gap(b) ? -1 : 1))
      .slice(0, MAX_RANGES - 1)
      .sort((a, b) => a - b);
    const firsts = spells.length === 0 ? [] : [0, ...cuts];
    return firsts.map((first, i) => ({
      min: spells[first]!.min,
      max: spells[(firsts[i + 1] ?? spells.length) - 1]!.max,
    }));
  }
}

function join(hi: number, lo: number): bigint {
  return (BigInt(hi) << 32n) | BigInt(lo);
}

/** Ranges as a footer has them. */
export function encodeRanges(ranges: readonly StartRange[]): string[] {
  return ranges.flatMap(({ min, max }) => [String(min), String(max)]);
}

/** Ranges from a footer. */
export function decodeRanges(bounds: readonly string[]): StartRange[] {
  return Array.from({ length: bounds.length / 2 }, (_, i) => ({
    min: BigInt(bounds[i * 2]!),
    max: BigInt(bounds[i * 2 + 1]!),
  }));
}

/**
 * What of ranges is in a window: after `latest` no start is, and none at all when that is undefined. `isEarlyInside` when no start
 * is before the window, `isLateInside` when none is behind it.
 */
export function clipRanges(
  ranges: readonly StartRange[],
  { startMinUnixNano, startMaxUnixNano }: TimeWindow,
): { latest: bigint | undefined; isEarlyInside: boolean; isLateInside: boolean } {
  const latest = ranges.findLast(
    ({ min, max }) => max >= startMinUnixNano && min < startMaxUnixNano,
  )?.max;
  return {
    latest,
    isEarlyInside: ranges.every(({ min }) => min >= startMinUnixNano),
    isLateInside: ranges.every(({ max }) => max < startMaxUnixNano),
  };
}
