// SPDX-License-Identifier: Apache-2.0
import { formatDuration } from './duration.ts';

/** A mark on the time axis. */
export interface AxisTick {
  /** Where on the axis, 0 to 1. */
  readonly ratio: number;
  /** Time since the start of the trace; empty where it would not fit. */
  readonly label: string;
}

/** Room that one tick with its label wants, in px. */
const TICK_PX = 110;
/** Width of a label in px, at 11 px monospace; the longest is as `-999 min`. */
const LABEL_PX = 58;

/** Ticks at round times, as many as have room. */
export function axisTicks(totalUs: number, widthPx: number): readonly AxisTick[] {
  if (totalUs <= 0 || widthPx <= 0) return [{ ratio: 0, label: '0' }];
  const stepUs = roundStep(totalUs / Math.max(1, widthPx / TICK_PX));
  const ticks: AxisTick[] = [];
  for (let i = 0; i * stepUs <= totalUs; i++) {
    const ratio = (i * stepUs) / totalUs;
    const fits = widthPx * (1 - ratio) >= LABEL_PX;
    ticks.push({ ratio, label: i === 0 ? '0' : fits ? formatDuration(i * stepUs) : '' });
  }
  return ticks;
}

/** Steps between ticks of a minute and more, in µs, where powers of ten are not round. */
const LONG_STEPS_US = [
  10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400,
].map((seconds) => seconds * 1e6);

/** The smallest round step that is not below `atLeastUs`: 1, 2 or 5 times a power of ten, or of a clock. */
function roundStep(atLeastUs: number): number {
  if (atLeastUs > LONG_STEPS_US[0]!) {
    const step = LONG_STEPS_US.find((candidate) => candidate >= atLeastUs);
    if (step !== undefined) return step;
  }
  const power = 10 ** Math.floor(Math.log10(atLeastUs));
  // The tolerance keeps 0.30000000000000004 from being taken for more than 0.3.
  const factor = [1, 2, 5].find((candidate) => candidate * power >= atLeastUs * (1 - 1e-9)) ?? 10;
  return factor * power;
}
