// SPDX-License-Identifier: Apache-2.0

/** The columns of one trace that its tree is made of: entry `r` of each is span `r`. */
export interface TraceTreeInput {
  /** Any text that is equal for equal ids; an id that occurs twice belongs to its first row. */
  readonly spanIds: readonly string[];
  /** As `spanIds`; empty (or all zeros) for a span without parent. */
  readonly parentSpanIds: readonly string[];
  /** From any origin and in any unit that all rows share. */
  readonly start: ArrayLike<number>;
  /** In the unit of `start`; below zero is read as zero. */
  readonly duration: ArrayLike<number>;
}

/** What is wrong with a span's place in the tree, as bits of {@link TraceTree.problems}. */
export const SPAN_PROBLEMS = {
  /** It names a parent that the trace does not have, so it stands as a root. */
  missingParent: 1,
  /** It is its own ancestor; the loop was cut above it, so it stands as a root. */
  cycle: 2,
  /** An earlier row has the same span id, and that row gets the children. */
  duplicateId: 4,
} as const;

/**
 * The spans of a trace as a tree (a forest, when spans are missing), over row numbers.
 *
 * Siblings are ordered by start, then longer first, then by row. Roots: those without a parent id
 * first, then the ones that only stand as roots, each by the same order.
 */
export interface TraceTree {
  /** Number of spans. */
  readonly rows: number;
  /** Row of the parent, or -1. */
  readonly parent: Int32Array;
  /** 0 for roots. */
  readonly depth: Int32Array;
  /** Spans below a row, itself included. */
  readonly subtreeSize: Int32Array;
  /** Rows in pre-order: the subtree of `order[i]` is `order[i, i + subtreeSize[order[i]])`. */
  readonly order: Int32Array;
  /** Index of each row in `order`. */
  readonly position: Int32Array;
  /** Children of row `r` are `children[childOffsets[r], childOffsets[r + 1])`. */
  readonly childOffsets: Int32Array;
  readonly children: Int32Array;
  /** Never empty unless the trace is; the first is the root of the trace. */
  readonly roots: Int32Array;
  /** Number of levels: 0 for no span, 1 when all are roots. */
  readonly levels: number;
  /** Bits of {@link SPAN_PROBLEMS}. */
  readonly problems: Uint8Array;
}

/**
 * Builds the tree of one trace. Takes any input: missing parents, loops and repeated ids are
 * flagged, and every row is in the tree exactly once. No recursion, so depth has no limit.
 */
export function buildTraceTree(input: TraceTreeInput): TraceTree {
  const rows = input.spanIds.length;
  const problems = new Uint8Array(rows);
  const parent = resolveParents(input, problems);
  cutCycles(parent, input.start, problems);

  const byStart = rowsByStart(input, rows);
  const { childOffsets, children } = groupChildren(parent, byStart);
  const roots = orderRoots(parent, byStart, problems);

  const order = new Int32Array(rows);
  const position = new Int32Array(rows);
  const depth = new Int32Array(rows);
  const subtreeSize = new Int32Array(rows).fill(1);
  let levels = 0;
  let length = 0;
  // A row waits at most once, so the stack never outgrows the trace.
  const stack = new Int32Array(rows);
  let top = 0;
  for (let i = roots.length - 1; i >= 0; i--) stack[top++] = roots[i]!;
  while (top > 0) {
    const row = stack[--top]!;
    const above = parent[row]!;
    const level = above < 0 ? 0 : depth[above]! + 1;
    depth[row] = level;
    if (level >= levels) levels = level + 1;
    position[row] = length;
    order[length++] = row;
    for (let i = childOffsets[row + 1]! - 1; i >= childOffsets[row]!; i--) {
      stack[top++] = children[i]!;
    }
  }
  for (let i = rows - 1; i >= 0; i--) {
    const row = order[i]!;
    const above = parent[row]!;
    if (above >= 0) subtreeSize[above]! += subtreeSize[row]!;
  }
  return {
    rows,
    parent,
    depth,
    subtreeSize,
    order,
    position,
    childOffsets,
    children,
    roots,
    levels,
    problems,
  };
}

/** Whether a parent id says "no parent". */
function isNoParent(id: string): boolean {
  return id === '' || /^0+$/.test(id);
}

function resolveParents(input: TraceTreeInput, problems: Uint8Array): Int32Array {
  const rows = input.spanIds.length;
  const rowOf = new Map<string, number>();
  for (let row = 0; row < rows; row++) {
    const id = input.spanIds[row]!;
    if (rowOf.has(id)) problems[row]! |= SPAN_PROBLEMS.duplicateId;
    else rowOf.set(id, row);
  }
  const parent = new Int32Array(rows).fill(-1);
  for (let row = 0; row < rows; row++) {
    const id = input.parentSpanIds[row] ?? '';
    if (isNoParent(id)) continue;
    const above = rowOf.get(id);
    if (above === undefined) problems[row]! |= SPAN_PROBLEMS.missingParent;
    else parent[row] = above;
  }
  return parent;
}

/** Cuts each loop above its earliest span. */
function cutCycles(parent: Int32Array, start: ArrayLike<number>, problems: Uint8Array): void {
  const rows = parent.length;
  // Number of the walk that first came by; 0 for none yet.
  const walkOf = new Int32Array(rows);
  for (let from = 0; from < rows; from++) {
    let row = from;
    while (row >= 0 && walkOf[row] === 0) {
      walkOf[row] = from + 1;
      row = parent[row]!;
    }
    if (row < 0 || walkOf[row] !== from + 1) continue;
    let cut = row;
    for (let at = parent[row]!; at !== row; at = parent[at]!) {
      const earlier = start[at]! - start[cut]!;
      if (earlier < 0 || (earlier === 0 && at < cut)) cut = at;
    }
    parent[cut] = -1;
    problems[cut]! |= SPAN_PROBLEMS.cycle;
  }
}

function rowsByStart(input: TraceTreeInput, rows: number): Int32Array {
  const { start, duration } = input;
  const sorted = new Int32Array(rows);
  for (let row = 0; row < rows; row++) sorted[row] = row;
  return sorted.sort((a, b) => start[a]! - start[b]! || duration[b]! - duration[a]! || a - b);
}

function groupChildren(
  parent: Int32Array,
  byStart: Int32Array,
): { childOffsets: Int32Array; children: Int32Array } {
  const rows = parent.length;
  const childOffsets = new Int32Array(rows + 1);
  for (const above of parent) if (above >= 0) childOffsets[above + 1]!++;
  for (let row = 0; row < rows; row++) childOffsets[row + 1]! += childOffsets[row]!;
  const children = new Int32Array(childOffsets[rows]!);
  const next = childOffsets.slice(0, rows);
  for (const row of byStart) {
    const above = parent[row]!;
    if (above >= 0) children[next[above]!++] = row;
  }
  return { childOffsets, children };
}

function orderRoots(parent: Int32Array, byStart: Int32Array, problems: Uint8Array): Int32Array {
  const standIn = SPAN_PROBLEMS.missingParent | SPAN_PROBLEMS.cycle;
  const all = byStart.filter((row) => parent[row]! < 0);
  const roots = new Int32Array(all.length);
  let length = 0;
  for (const row of all) if ((problems[row]! & standIn) === 0) roots[length++] = row;
  for (const row of all) if ((problems[row]! & standIn) !== 0) roots[length++] = row;
  return roots;
}
