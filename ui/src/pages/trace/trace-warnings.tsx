// SPDX-License-Identifier: Apache-2.0
import { SPAN_PROBLEMS } from '@spoor/core/analysis/trace-tree.ts';
import { useMemo } from 'react';
import { AnswerWarnings } from '#components/notice.tsx';
import type { Trace } from '#model/trace.ts';

/** What is unusual about the trace as a whole, one line each; nothing when all is well. */
export function TraceWarnings({ trace }: { trace: Trace }) {
  const warnings = useMemo(() => [...trace.warnings, ...treeWarnings(trace)], [trace]);
  return <AnswerWarnings warnings={warnings} />;
}

/** What is wrong with one span's place in the tree, in words. */
export function spanProblems(problems: number): readonly string[] {
  const texts: string[] = [];
  if ((problems & SPAN_PROBLEMS.missingParent) !== 0) {
    texts.push('Its parent is not in this trace, so it stands as a root.');
  }
  if ((problems & SPAN_PROBLEMS.cycle) !== 0) {
    texts.push('It is its own ancestor; the loop is cut here, so it stands as a root.');
  }
  if ((problems & SPAN_PROBLEMS.duplicateId) !== 0) {
    texts.push('Another span of this trace has the same span id.');
  }
  return texts;
}

function treeWarnings({ tree }: Trace): readonly string[] {
  let missing = 0;
  let loops = 0;
  let duplicates = 0;
  for (const bits of tree.problems) {
    if ((bits & SPAN_PROBLEMS.missingParent) !== 0) missing++;
    if ((bits & SPAN_PROBLEMS.cycle) !== 0) loops++;
    if ((bits & SPAN_PROBLEMS.duplicateId) !== 0) duplicates++;
  }
  const texts: string[] = [];
  if (missing > 0) {
    const who = missing === 1 ? '1 span names' : `${missing} spans name`;
    texts.push(
      `${who} a parent that is not in this trace: lost, late or not sampled. Shown as roots.`,
    );
  }
  if (loops > 0) {
    const who =
      loops === 1 ? '1 span is its own ancestor' : `${loops} spans are their own ancestors`;
    texts.push(`${who}. Each loop is cut above its earliest span.`);
  }
  if (duplicates > 0) {
    const who = duplicates === 1 ? '1 span has' : `${duplicates} spans have`;
    texts.push(`${who} the span id of another. Children are shown under the first.`);
  }
  return texts;
}
