// SPDX-License-Identifier: Apache-2.0
import { Link } from '@tanstack/react-router';
import { FailureNotice, Notice } from './notice.tsx';

/** For a URL that no page has. */
export function UnknownPage() {
  return (
    <Notice title="There is no page here">
      <p>
        The address may be cut or mistyped. <Link to="/search">Search traces</Link>
      </p>
    </Notice>
  );
}

/** For a fault in the page itself. */
export function CrashPage({ error }: { error: unknown }) {
  const shown = error instanceof Error ? error : new Error(String(error));
  return <FailureNotice error={shown} onRetry={() => location.reload()} />;
}
