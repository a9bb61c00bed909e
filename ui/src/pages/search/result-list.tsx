// SPDX-License-Identifier: Apache-2.0
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useMediaQuery } from '#components/use-media-query.ts';
import { useShortcuts } from '#components/use-shortcuts.ts';
import type { TraceSummary } from '#model/trace-summary.ts';
import { ResultRow } from './result-row.tsx';
import styles from './result-list.module.css';

/** Heights of a row in px; the narrow one has two lines. Also in result-list.module.css. */
const ROW_PX = 36;
const NARROW_ROW_PX = 64;
/** How often ages are written anew, in ms. */
const CLOCK_MS = 15_000;
/** Height of what covers the top of the page while scrolling: the top bar and the column heads, in px. */
const COVERED_PX = 72;

/** The traces that were found, as rows that exist only while they are in view. */
export function ResultList({
  traces,
  isStale,
}: {
  traces: readonly TraceSummary[];
  isStale: boolean;
}) {
  const list = useRef<HTMLOListElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const offset = (list.current?.getBoundingClientRect().top ?? 0) + window.scrollY;
    if (Math.abs(offset - top) > 1) setTop(offset);
  }, [top, traces]);
  const narrow = useMediaQuery('(max-width: 760px)');
  const virtualizer = useWindowVirtualizer({
    count: traces.length,
    estimateSize: () => (narrow ? NARROW_ROW_PX : ROW_PX),
    overscan: 12,
    scrollMargin: top,
    scrollPaddingStart: COVERED_PX,
  });
  useEffect(() => virtualizer.measure(), [virtualizer, narrow]);
  const nowUs = useNowUs();

  const focusRow = (index: number) => {
    if (index < 0 || index >= traces.length) return;
    virtualizer.scrollToIndex(index);
    const focus = (): boolean => {
      const link = list.current?.querySelector<HTMLElement>(`[data-index="${index}"] a`);
      link?.focus();
      return link != null;
    };
    // At once where the row is there, so that a key that follows is the row's; else when the scroll has been drawn.
    if (!focus()) requestAnimationFrame(focus);
  };
  const step = (by: number) => {
    const focused = document.activeElement?.closest('[data-index]');
    const at = focused instanceof HTMLElement ? Number(focused.dataset['index']) : -1;
    const first = virtualizer.range?.startIndex ?? 0;
    focusRow(at < 0 ? first : at + by);
  };
  useShortcuts({
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => (isInList(list.current) ? step(1) : false),
    ArrowUp: () => (isInList(list.current) ? step(-1) : false),
  });

  const longestUs = traces.reduce((longest, trace) => Math.max(longest, trace.durationUs), 1);
  return (
    <div className={isStale ? styles['stale'] : undefined}>
      <div className={styles['columns']} aria-hidden="true">
        <span>Trace</span>
        <span>Services by time</span>
        <span>Duration</span>
        <span className={styles['number']}>Spans</span>
        <span className={styles['number']}>Errors</span>
        <span>Start</span>
        <span className={styles['number']}>Age</span>
      </div>
      <ol ref={list} className={styles['list']} style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map(({ index, start, size }) => {
          const trace = traces[index]!;
          return (
            <li
              key={trace.traceId}
              data-index={index}
              className={styles['item']}
              style={{ transform: `translateY(${start - top}px)`, height: size }}
              aria-setsize={traces.length}
              aria-posinset={index + 1}
            >
              <ResultRow trace={trace} longestUs={longestUs} nowUs={nowUs} />
            </li>
          );
        })}
      </ol>
    </div>
  );
}

/** Stands for the list until the first answer, so that nothing moves when it comes. */
export function ResultSkeleton() {
  return (
    <div className={styles['skeleton']} role="status" aria-label="Searching">
      {Array.from({ length: 8 }, (_, index) => (
        <div key={index} />
      ))}
    </div>
  );
}

function isInList(list: HTMLElement | null): boolean {
  return list?.contains(document.activeElement) ?? false;
}

function useNowUs(): number {
  const [nowUs, setNowUs] = useState(() => Date.now() * 1000);
  useEffect(() => {
    const timer = setInterval(() => setNowUs(Date.now() * 1000), CLOCK_MS);
    return () => clearInterval(timer);
  }, []);
  return nowUs;
}
