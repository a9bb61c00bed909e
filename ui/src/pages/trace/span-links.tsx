// SPDX-License-Identifier: Apache-2.0
import { Link } from '@tanstack/react-router';
import type { SpanReference } from '#api/jaeger-json.ts';
import controls from '#components/controls.module.css';
import { type Trace, sameTraceId } from '#model/trace.ts';
import styles from './span-detail.module.css';

/** Links of a span to spans of this trace and of others. */
export function SpanLinks({
  links,
  trace,
  onSelect,
}: {
  links: readonly SpanReference[];
  trace: Trace;
  onSelect: (row: number) => void;
}) {
  return (
    <ul className={styles['links']}>
      {links.map((link, index) => {
        const row = sameTraceId(link.traceID, trace.traceId)
          ? trace.rowOf.get(link.spanID)
          : undefined;
        return (
          <li key={index}>
            {row === undefined ? (
              <Link
                to="/trace/$traceId"
                params={{ traceId: link.traceID }}
                search={{ span: link.spanID }}
              >
                Trace <code>{link.traceID}</code>, span <code>{link.spanID}</code>
              </Link>
            ) : (
              <button type="button" className={controls['text']} onClick={() => onSelect(row)}>
                {trace.processes[row]!.serviceName} {trace.spans[row]!.operationName}
              </button>
            )}
          </li>
        );
      })}
    </ul>
  );
}
