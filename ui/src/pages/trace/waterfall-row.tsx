// SPDX-License-Identifier: Apache-2.0
import { memo } from 'react';
import { ChevronIcon, ErrorIcon, HiddenErrorIcon, WarningIcon } from '#components/icons.tsx';
import { placeLabel } from '#model/bar-label.ts';
import { formatDuration } from '#model/duration.ts';
import { serviceHue } from '#model/service-colour.ts';
import type { Trace } from '#model/trace.ts';
import styles from './waterfall.module.css';

/** Narrowest bar in px, so that a span of no duration is seen. */
const MIN_BAR_PX = 2;
/** Below this indent the guides would be a grey block. */
const MIN_GUIDE_PX = 5;
/** Bars below this width show no events: the ticks would hide the bar. */
const MIN_EVENT_BAR_PX = 8;
/** Most event ticks on one bar; events beyond would lie on the same pixels. */
const MAX_TICKS = 100;

const LABEL_CLASSES = { left: 'labelLeft', inside: 'labelInside', right: 'labelRight' } as const;

/** One span: its name in the tree, and its bar over time. */
export const WaterfallRow = memo(function WaterfallRow({
  trace,
  row,
  indentPx,
  trackPx,
  isFolded,
  hasHiddenError,
  isCursor,
  isSelected,
}: {
  trace: Trace;
  row: number;
  indentPx: number;
  trackPx: number;
  isFolded: boolean;
  /** An error in the rows that are folded away below. */
  hasHiddenError: boolean;
  isCursor: boolean;
  isSelected: boolean;
}) {
  const { tree } = trace;
  const span = trace.spans[row]!;
  const service = trace.processes[row]!.serviceName;
  const isError = trace.isError[row] === 1;
  const below = tree.subtreeSize[row]! - 1;
  const guidesPx = tree.depth[row]! * indentPx;
  const duration = formatDuration(trace.durationUs[row]!);
  // On what has the colour and not on the row, whose other parts can share their styles with those of all rows.
  const hue = { '--hue': serviceHue(service) };
  const { startPx, barPx } = placeBar(trace, row, trackPx);
  const place = placeLabel(startPx / trackPx, (startPx + barPx) / trackPx, trackPx, duration);
  const ticks = barPx < MIN_EVENT_BAR_PX ? [] : eventTicks(trace, row, trackPx);
  const classes = [
    styles['row'],
    ...(isCursor ? [styles['cursor']] : []),
    ...(isSelected ? [styles['selected']] : []),
  ];
  return (
    <div
      id={`span-${row}`}
      role="treeitem"
      aria-level={tree.depth[row]! + 1}
      aria-selected={isSelected}
      {...(below > 0 ? { 'aria-expanded': !isFolded } : {})}
      aria-label={`${service} ${span.operationName}, ${duration}${isError ? ', error' : ''}`}
      className={classes.join(' ')}
      data-row={row}
      style={{ gridTemplateColumns: `var(--names) ${startPx}px ${barPx}px 1fr` }}
    >
      <div className={styles['name']}>
        <span
          className={below > 0 ? styles['guides'] : styles['leafGuides']}
          style={{
            width: guidesPx,
            backgroundSize: `${indentPx}px 100%`,
            ...(indentPx < MIN_GUIDE_PX ? { backgroundImage: 'none' } : {}),
          }}
        />
        {below > 0 && (
          <span data-toggle="" className={isFolded ? styles['folded'] : styles['toggle']}>
            <ChevronIcon />
          </span>
        )}
        <i className={styles['swatch']} style={hue} />
        {isError && <ErrorIcon />}
        {hasHiddenError && !isError && <HiddenErrorIcon />}
        {tree.problems[row] !== 0 && <WarningIcon />}
        <span className={styles['text']} title={`${service} ${span.operationName}`}>
          <b>{service}</b> {span.operationName}
        </span>
        {isFolded && <span className={styles['hidden']}>+{below.toLocaleString('en')}</span>}
      </div>
      <i className={isError ? styles['errorBar'] : styles['bar']} style={hue} />
      {ticks.length > 0 && (
        <span className={styles['events']}>
          {ticks.map((leftPx) => (
            <i key={leftPx} className={styles['event']} style={{ left: leftPx }} />
          ))}
        </span>
      )}
      {place !== 'none' && (
        <span className={styles[LABEL_CLASSES[place]]} style={place === 'inside' ? hue : undefined}>
          {duration}
        </span>
      )}
    </div>
  );
});

/** Where the bar of a span begins in the track, and how long it is. */
function placeBar(
  trace: Trace,
  row: number,
  trackPx: number,
): { readonly startPx: number; readonly barPx: number } {
  const pxPerUs = trackPx / Math.max(1, trace.totalUs);
  const startPx = Math.min(trackPx - MIN_BAR_PX, trace.offsetUs[row]! * pxPerUs);
  return {
    startPx: Math.max(0, startPx),
    barPx: Math.max(MIN_BAR_PX, trace.durationUs[row]! * pxPerUs),
  };
}

/** Places of the events in px, each pixel once, clipped to the trace. */
function eventTicks(trace: Trace, row: number, trackPx: number): number[] {
  const { logs } = trace.spans[row]!;
  if (logs.length === 0) return [];
  const places = new Set<number>();
  const totalUs = Math.max(1, trace.totalUs);
  for (const { timestamp } of logs) {
    const ratio = (timestamp - trace.startUs) / totalUs;
    if (ratio >= 0 && ratio <= 1) places.add(Math.round(ratio * trackPx));
    if (places.size >= MAX_TICKS) break;
  }
  return [...places];
}
