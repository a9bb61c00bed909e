// SPDX-License-Identifier: Apache-2.0
import { visibleRows } from '@spoor/core/analysis/visible-rows.ts';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { isOnControl, useShortcuts } from '#components/use-shortcuts.ts';
import { formatFold, isFolded, parseFold, setFolded } from '#model/fold-state.ts';
import type { Trace } from '#model/trace.ts';
import { SpanDetail } from './span-detail.tsx';
import { TraceHeader } from './trace-header.tsx';
import { TraceWarnings } from './trace-warnings.tsx';
import { Waterfall } from './waterfall.tsx';
import styles from './trace-view.module.css';

const route = getRouteApi('/trace/$traceId');
/** Rows that Page Down and Page Up move by. */
const PAGE_ROWS = 20;

/** A loaded trace: header, waterfall, and the detail of the selected span. */
export function TraceView({ trace }: { trace: Trace }) {
  const { span: selectedId, fold: foldText = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const { tree } = trace;
  const selected = selectedId === undefined ? -1 : (trace.rowOf.get(selectedId) ?? -1);

  const fold = useMemo(() => parseFold(foldText), [foldText]);
  const visible = useMemo(
    () => visibleRows(tree, (row) => hasChildren(trace, row) && isFolded(fold, spanId(trace, row))),
    [trace, tree, fold],
  );
  const [cursorRow, setCursorRow] = useState(() => (selected >= 0 ? selected : tree.order[0]!));
  // A link or Back may change the selection from outside.
  const [seen, setSeen] = useState(selected);
  if (seen !== selected) {
    setSeen(selected);
    if (selected >= 0) setCursorRow(selected);
  }
  const cursor = indexOfShown(trace, visible, cursorRow);

  const select = (row: number, how: 'open' | 'move') => {
    setCursorRow(row);
    void navigate({
      search: (before) => ({ ...before, span: spanId(trace, row) }),
      state: (before) => before,
      replace: how === 'move',
      resetScroll: false,
    });
  };
  const close = () => {
    void navigate({
      search: (before) => ({ ...before, span: undefined }),
      state: (before) => before,
      resetScroll: false,
    });
  };
  const changeFold = (next: string) => {
    void navigate({
      search: (before) => ({ ...before, fold: next === '' ? undefined : next }),
      state: (before) => before,
      replace: true,
      resetScroll: false,
    });
  };
  const setRowFolded = (row: number, folded: boolean) => {
    setCursorRow(row);
    changeFold(formatFold(setFolded(fold, [spanId(trace, row)], folded)));
  };
  /** Moves the cursor; an open detail follows it. */
  const moveTo = (row: number) => {
    if (selected >= 0) select(row, 'move');
    else setCursorRow(row);
  };
  const moveBy = (rows: number) => {
    const index = Math.min(visible.length - 1, Math.max(0, cursor + rows));
    moveTo(visible[index]!);
  };
  /** Goes to the next span (in tree order) with an error, and unfolds what hides it. */
  const stepError = (direction: 1 | -1) => {
    const from = tree.position[visible[cursor]!]!;
    for (let i = 1; i <= tree.rows; i++) {
      const row = tree.order[(from + direction * i + tree.rows) % tree.rows]!;
      if (trace.isError[row] !== 1) continue;
      const ancestors: string[] = [];
      for (let up = tree.parent[row]!; up >= 0; up = tree.parent[up]!) {
        if (isFolded(fold, spanId(trace, up))) ancestors.push(spanId(trace, up));
      }
      if (ancestors.length > 0) changeFold(formatFold(setFolded(fold, ancestors, false)));
      moveTo(row);
      return;
    }
  };

  const isOnRows = ({ target }: KeyboardEvent) =>
    target === document.body ||
    (target instanceof HTMLElement &&
      target.closest('main') !== null &&
      target.closest('aside') === null);
  const arrow = (act: () => void) => (event: KeyboardEvent) => {
    if (isOnControl(event) || !isOnRows(event)) return false;
    act();
    return undefined;
  };
  useShortcuts({
    j: () => moveBy(1),
    k: () => moveBy(-1),
    ArrowDown: arrow(() => moveBy(1)),
    ArrowUp: arrow(() => moveBy(-1)),
    PageDown: arrow(() => moveBy(PAGE_ROWS)),
    PageUp: arrow(() => moveBy(-PAGE_ROWS)),
    Home: arrow(() => moveBy(-Infinity)),
    End: arrow(() => moveBy(Infinity)),
    ArrowRight: arrow(() => {
      const row = visible[cursor]!;
      if (!hasChildren(trace, row)) return;
      if (isFolded(fold, spanId(trace, row))) setRowFolded(row, false);
      else moveBy(1);
    }),
    ArrowLeft: arrow(() => {
      const row = visible[cursor]!;
      if (hasChildren(trace, row) && !isFolded(fold, spanId(trace, row))) setRowFolded(row, true);
      else if (tree.parent[row]! >= 0) moveTo(tree.parent[row]!);
    }),
    Enter: arrow(() => select(visible[cursor]!, 'open')),
    Escape: () => (selected >= 0 ? close() : false),
    ']': () => changeFold('all'),
    '[': () => changeFold(''),
    e: () => stepError(1),
    E: () => stepError(-1),
  });

  return (
    <div className={styles['page']}>
      <div className={styles['top']}>
        <TraceHeader trace={trace} onNextError={() => stepError(1)} />
        <TraceWarnings trace={trace} />
      </div>
      <div className={styles['panes']}>
        <Waterfall
          trace={trace}
          visible={visible}
          cursor={cursor}
          selectedRow={selected}
          fold={fold}
          onSelect={(row) =>
            row === selected ? close() : select(row, selected < 0 ? 'open' : 'move')
          }
          onFold={setRowFolded}
        />
        {selected >= 0 && (
          <SpanDetail
            key={selected}
            trace={trace}
            row={selected}
            onClose={close}
            onSelect={(row) => select(row, 'move')}
          />
        )}
        {selectedId !== undefined && selected < 0 && (
          <aside className={styles['missing']} role="status">
            This trace has no span <code>{selectedId}</code>.
          </aside>
        )}
      </div>
    </div>
  );
}

function spanId(trace: Trace, row: number): string {
  return trace.spans[row]!.spanID;
}

function hasChildren({ tree }: Trace, row: number): boolean {
  return tree.subtreeSize[row]! > 1;
}

/** Index in `visible` of a row, or of its nearest ancestor that is shown. */
function indexOfShown({ tree }: Trace, visible: Int32Array, row: number): number {
  const position = tree.position[row]!;
  let low = 0;
  let high = visible.length - 1;
  // The last shown row that is not after it: itself, or the folded row that hides it.
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tree.position[visible[middle]!]! <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}
