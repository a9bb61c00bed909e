// SPDX-License-Identifier: Apache-2.0

/** Where the duration of a span is written: beside its bar, on it, or nowhere for want of room. */
export type LabelPlace = 'right' | 'left' | 'inside' | 'none';

/** Width of one character at 11 px monospace, in px, rounded up. */
const CHAR_PX = 7;
/** Between bar and label, on either side, in px. */
const GAP_PX = 5;

/**
 * Finds the place of a label so that it never lies over its bar's end or outside the track.
 * @param left of the bar, 0 to 1 of the track. @param right end of the bar, 0 to 1.
 */
export function placeLabel(left: number, right: number, trackPx: number, text: string): LabelPlace {
  const needPx = text.length * CHAR_PX + 2 * GAP_PX;
  if ((1 - right) * trackPx >= needPx) return 'right';
  if (left * trackPx >= needPx) return 'left';
  return (right - left) * trackPx >= needPx ? 'inside' : 'none';
}
