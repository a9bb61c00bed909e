// SPDX-License-Identifier: Apache-2.0
import { type PointerEvent, useState } from 'react';
import styles from './column-splitter.module.css';

/** Where the choice of the reader is kept. */
const STORAGE_KEY = 'spoor.waterfall.names';
const DEFAULT_RATIO = 0.38;
const MIN_RATIO = 0.15;
const MAX_RATIO = 0.75;
/** One press of an arrow key. */
const STEP = 0.02;

/** The share of the waterfall's width that the names take, 0 to 1, kept in this browser. */
export function useNamesRatio(): readonly [number, (ratio: number) => void] {
  const [ratio, setRatio] = useState(readRatio);
  const change = (next: number) => {
    const clamped = Math.min(MAX_RATIO, Math.max(MIN_RATIO, next));
    setRatio(clamped);
    try {
      localStorage.setItem(STORAGE_KEY, clamped.toFixed(3));
    } catch {
      // Storage can be off or full; the width then lasts as long as the page.
    }
  };
  return [ratio, change];
}

/** The line between names and bars, to be dragged, or moved with the arrow keys. */
export function ColumnSplitter({
  ratio,
  widthPx,
  onChange,
}: {
  ratio: number;
  /** Of the waterfall. */
  widthPx: number;
  onChange: (ratio: number) => void;
}) {
  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId) || widthPx === 0) return;
    const left = event.currentTarget.parentElement?.getBoundingClientRect().left ?? 0;
    onChange((event.clientX - left) / widthPx);
  };
  return (
    <div
      className={styles['splitter']}
      style={{ left: Math.round(widthPx * ratio) }}
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the names"
      aria-valuenow={Math.round(ratio * 100)}
      aria-valuemin={MIN_RATIO * 100}
      aria-valuemax={MAX_RATIO * 100}
      tabIndex={0}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={onPointerMove}
      onDoubleClick={() => onChange(DEFAULT_RATIO)}
      onKeyDown={(event) => {
        const step = event.key === 'ArrowRight' ? STEP : event.key === 'ArrowLeft' ? -STEP : 0;
        if (step === 0) return;
        event.preventDefault();
        onChange(ratio + step);
      }}
    />
  );
}

function readRatio(): number {
  try {
    const stored = Number(localStorage.getItem(STORAGE_KEY) ?? DEFAULT_RATIO);
    return stored >= MIN_RATIO && stored <= MAX_RATIO ? stored : DEFAULT_RATIO;
  } catch {
    return DEFAULT_RATIO;
  }
}
