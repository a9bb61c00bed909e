// SPDX-License-Identifier: Apache-2.0
import { Link, useLocation, useRouter } from '@tanstack/react-router';
import controls from '#components/controls.module.css';
import { useShortcuts } from '#components/use-shortcuts.ts';
import { type SearchState, firstPage, formatSearchState } from '#model/search-params.ts';
import styles from './pager.module.css';

/** The ways to other pages of a result; nothing where there is one page only. */
export function Pager({
  state,
  next,
}: {
  state: SearchState;
  /** The search for the next page, if there is one. */
  next: SearchState | undefined;
}) {
  const router = useRouter();
  const cameByPaging = useLocation({ select: ({ state: { paged } }) => paged === true });
  const onFirst = state.page === '';
  const goOn = () => {
    if (next === undefined) return false;
    void router.navigate({
      to: '/search',
      search: formatSearchState(next),
      state: { paged: true },
    });
    return undefined;
  };
  const goBack = () => {
    if (!cameByPaging) return false;
    router.history.back();
    return undefined;
  };
  useShortcuts({ n: goOn, p: goBack });
  if (onFirst && next === undefined) return null;
  return (
    <nav className={styles['pager']} aria-label="Pages of the result">
      {!onFirst && (
        <Link
          to="/search"
          search={formatSearchState(firstPage(state))}
          className={controls['button']}
        >
          First page
        </Link>
      )}
      {cameByPaging && (
        <button
          type="button"
          className={controls['button']}
          title="Previous page (p)"
          aria-keyshortcuts="p"
          onClick={goBack}
        >
          Previous page
        </button>
      )}
      {next === undefined ? (
        <span>This is the last page.</span>
      ) : (
        <Link
          to="/search"
          search={formatSearchState(next)}
          state={{ paged: true }}
          className={controls['button']}
          title="Next page (n)"
          aria-keyshortcuts="n"
        >
          Next page
        </Link>
      )}
    </nav>
  );
}
