// SPDX-License-Identifier: Apache-2.0
import controls from '#components/controls.module.css';
import { Notice } from '#components/notice.tsx';
import { LOOKBACKS, type SearchState, lookbackUs } from '#model/search-params.ts';
import { formatLocalTime } from '#model/time-format.ts';
import styles from './no-match.module.css';

/** For a search that finds nothing: what was asked, and what to loosen. */
export function NoMatch({
  state,
  onSearch,
}: {
  state: SearchState;
  onSearch: (next: SearchState) => void;
}) {
  const wider = LOOKBACKS.find(
    ([value]) =>
      (lookbackUs(value) ?? 0) > (lookbackUs(state.lookback) ?? Infinity) && value !== '15m',
  );
  const filters = [
    ...(state.attributes === '' ? [] : [`attributes ${state.attributes}`]),
    ...(state.traceql === '' ? [] : [`TraceQL ${state.traceql}`]),
    ...(state.minDuration === '' ? [] : [`at least ${state.minDuration}`]),
    ...(state.maxDuration === '' ? [] : [`at most ${state.maxDuration}`]),
  ];
  return (
    <Notice title="No trace matches">
      <p className={styles['asked']}>
        Looked for {state.service === '' ? 'all services' : state.service}
        {state.operation !== '' && `, operation ${state.operation}`}
        {filters.length > 0 && `, with ${filters.join(', ')}`}, {timeText(state)}.
      </p>
      <p className={styles['actions']}>
        {wider !== undefined && (
          <button
            type="button"
            className={controls['button']}
            onClick={() => onSearch({ ...state, lookback: wider[0] })}
          >
            Look at the {wider[1].toLowerCase()}
          </button>
        )}
        {filters.length > 0 && (
          <button
            type="button"
            className={controls['button']}
            onClick={() =>
              onSearch({ ...state, attributes: '', traceql: '', minDuration: '', maxDuration: '' })
            }
          >
            Drop the filters
          </button>
        )}
        {state.operation !== '' && (
          <button
            type="button"
            className={controls['button']}
            onClick={() => onSearch({ ...state, operation: '' })}
          >
            All operations
          </button>
        )}
      </p>
    </Notice>
  );
}

function timeText({ lookback, start, end }: SearchState): string {
  if (lookback !== 'custom') {
    const known = LOOKBACKS.find(([value]) => value === lookback);
    return `in the ${known === undefined ? `last ${lookback}` : known[1].toLowerCase()}`;
  }
  return `from ${formatLocalTime(start ?? 0).slice(0, 19)} to ${formatLocalTime(end ?? 0).slice(0, 19)}`;
}
