// SPDX-License-Identifier: Apache-2.0
import { useVirtualizer } from '@tanstack/react-virtual';
import { type MouseEvent, useEffect, useMemo, useRef } from 'react';
import { useElementWidth } from '#components/use-element-width.ts';
import { type FoldState, isFolded } from '#model/fold-state.ts';
import { axisTicks } from '#model/time-axis.ts';
import type { Trace } from '#model/trace.ts';
import { ColumnSplitter, useNamesRatio } from './column-splitter.tsx';
import { WaterfallRow } from './waterfall-row.tsx';
import styles from './waterfall.module.css';

/** Heights in px; also in waterfall.module.css. */
const ROW_PX = 24;
const HEAD_PX = 28;
/** Indent of one level in px, where there is room. */
const INDENT_PX = 14;
/** Space right of the longest bar, in px. */
const TRACK_END_PX = 12;

/** The spans of a trace as rows over time; only the rows in view exist. */
export function Waterfall({
  trace,
  visible,
  cursor,
  selectedRow,
  fold,
  onSelect,
  onFold,
}: {
  trace: Trace;
  /** Rows to show, in order. */
  visible: Int32Array;
  /** Index into `visible`. */
  cursor: number;
  selectedRow: number;
  fold: FoldState;
  onSelect: (row: number) => void;
  onFold: (row: number, folded: boolean) => void;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const width = useElementWidth(scroller);
  const [namesRatio, setNamesRatio] = useNamesRatio();
  const namesPx = Math.round(width * namesRatio);
  const trackPx = Math.max(0, width - namesPx - TRACK_END_PX);
  const { tree } = trace;
  // Deep traces get narrower steps: all levels together take at most half of the column.
  const indentPx = Math.min(INDENT_PX, (0.5 * namesPx) / Math.max(1, tree.levels - 1));
  const errorsBefore = useMemo(() => countErrors(trace), [trace]);
  const ticks = axisTicks(trace.totalUs, trackPx);

  const virtualizer = useVirtualizer({
    count: visible.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 8,
    scrollMargin: HEAD_PX,
    scrollPaddingStart: HEAD_PX,
  });
  useEffect(() => {
    // Steps scroll as little as they can; what is jumped to (a link, an error) comes to the middle.
    const { range } = virtualizer;
    const isNear = range !== null && cursor >= range.startIndex - 1 && cursor <= range.endIndex + 1;
    virtualizer.scrollToIndex(cursor, { align: isNear ? 'auto' : 'center' });
  }, [virtualizer, cursor]);

  const items = width > 0 ? virtualizer.getVirtualItems() : [];

  const rowAt = (event: MouseEvent): number => {
    const element = event.target instanceof Element ? event.target.closest('[data-row]') : null;
    return element instanceof HTMLElement ? Number(element.dataset['row']) : -1;
  };
  const onClick = (event: MouseEvent) => {
    const row = rowAt(event);
    if (row < 0) return;
    const onToggle =
      event.target instanceof Element && event.target.closest('[data-toggle]') !== null;
    if (onToggle) onFold(row, !isFolded(fold, trace.spans[row]!.spanID));
    else onSelect(row);
  };

  return (
    <div className={styles['pane']}>
      <div ref={scroller} className={styles['scroller']} style={{ '--names': `${namesPx}px` }}>
        <div className={styles['head']}>
          <span className={styles['headName']}>Service and operation</span>
          <div className={styles['axis']} aria-hidden="true">
            {ticks.map(({ ratio, label }) => (
              <span key={ratio} style={{ left: ratio * trackPx }}>
                {label}
              </span>
            ))}
          </div>
        </div>
        <div
          className={styles['rows']}
          style={{ height: visible.length * ROW_PX }}
          role="tree"
          tabIndex={0}
          aria-label="Spans"
          aria-activedescendant={`span-${visible[cursor]}`}
          onClick={onClick}
        >
          <div className={styles['grid']} aria-hidden="true">
            {ticks.map(({ ratio }) => (
              <i key={ratio} style={{ left: ratio * trackPx }} />
            ))}
          </div>
          <div role="none" style={{ paddingTop: (items[0]?.start ?? HEAD_PX) - HEAD_PX }}>
            {items.map(({ index }) => {
              const row = visible[index]!;
              const from = tree.position[row]!;
              const size = tree.subtreeSize[row]!;
              const folded = size > 1 && isFolded(fold, trace.spans[row]!.spanID);
              return (
                <WaterfallRow
                  key={row}
                  trace={trace}
                  row={row}
                  indentPx={indentPx}
                  trackPx={trackPx}
                  isFolded={folded}
                  hasHiddenError={folded && errorsBefore[from + size]! > errorsBefore[from + 1]!}
                  isCursor={index === cursor}
                  isSelected={row === selectedRow}
                />
              );
            })}
          </div>
        </div>
      </div>
      <ColumnSplitter ratio={namesRatio} onChange={setNamesRatio} widthPx={width} />
    </div>
  );
}

/** Entry `i` is the number of errors in the first `i` rows of the tree's order. */
function countErrors({ tree, isError }: Trace): Uint32Array {
  const before = new Uint32Array(tree.rows + 1);
  for (let i = 0; i < tree.rows; i++) before[i + 1] = before[i]! + isError[tree.order[i]!]!;
  return before;
}
