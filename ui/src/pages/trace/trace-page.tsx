// SPDX-License-Identifier: Apache-2.0
import { useQuery } from '@tanstack/react-query';
import { Link, getRouteApi, useLocation } from '@tanstack/react-router';
import { useEffect } from 'react';
import { ApiError } from '#api/api-error.ts';
import { traceQuery } from '#api/queries.ts';
import { CopyButton } from '#components/copy-button.tsx';
import controls from '#components/controls.module.css';
import { AnswerWarnings, FailureNotice, Notice } from '#components/notice.tsx';
import { TraceLookup } from '#components/trace-lookup.tsx';
import { TraceView } from './trace-view.tsx';
import styles from './trace-page.module.css';

const route = getRouteApi('/trace/$traceId');

/** One trace by its id: loading, not found, failed, or the trace itself. */
export function TracePage() {
  const { traceId } = route.useParams();
  const { data: trace, error, refetch } = useQuery(traceQuery(traceId));

  useEffect(() => {
    const root = trace?.tree.roots[0];
    document.title =
      trace === undefined || root === undefined
        ? `Trace ${traceId.slice(0, 7)} · Spoor`
        : `${trace.processes[root]!.serviceName}: ${trace.spans[root]!.operationName} · Spoor`;
  }, [trace, traceId]);

  if (trace !== undefined && trace.tree.rows > 0) return <TraceView trace={trace} key={traceId} />;
  if (error instanceof ApiError && error.status === 404) {
    return <NotFound traceId={traceId} onRetry={() => void refetch()} said={error.message} />;
  }
  if (error !== null) return <FailureNotice error={error} onRetry={() => void refetch()} />;
  if (trace !== undefined) return <NotFound traceId={traceId} onRetry={() => void refetch()} />;
  return (
    <p className={styles['loading']} role="status">
      Loading trace {traceId.slice(0, 7)} …
    </p>
  );
}

function NotFound({
  traceId,
  onRetry,
  said = '',
}: {
  traceId: string;
  onRetry: () => void;
  /** What the server says of it. */
  said?: string;
}) {
  const searchHref = useLocation({ select: ({ state }) => state.searchHref });
  return (
    <Notice title="Trace not found">
      <p className={styles['id']}>
        <code>{traceId}</code> <CopyButton text={traceId} what="trace id" />
      </p>
      <p>
        No span with this trace id is stored. It may not have arrived yet, may not have been
        sampled, may be older than what is kept, or the id may be cut.
      </p>
      {said.includes('incomplete') && <AnswerWarnings warnings={[said]} />}
      <div className={styles['actions']}>
        <button type="button" className={controls['button']} onClick={onRetry}>
          Look again
        </button>
        <Link to={searchHref ?? '/search'} className={controls['button']}>
          Search traces
        </Link>
        <TraceLookup />
      </div>
    </Notice>
  );
}
