// SPDX-License-Identifier: Apache-2.0
import { Link } from '@tanstack/react-router';
import { ErrorIcon } from '#components/icons.tsx';
import {
  type Dependency,
  type DependencyColumn,
  type DependencySort,
  errorRate,
} from '#model/dependency.ts';
import { formatDuration } from '#model/duration.ts';
import { serviceHue } from '#model/service-colour.ts';
import styles from './dependency-table.module.css';

const COLUMNS: readonly (readonly [column: DependencyColumn, name: string, isNumber: boolean])[] = [
  ['caller', 'Caller', false],
  ['callee', 'Callee', false],
  ['kind', 'Kind', false],
  ['calls', 'Calls', true],
  ['errors', 'Errors', true],
  ['error_rate', 'Error rate', true],
  ['p50', 'p50', true],
  ['p95', 'p95', true],
];

/** Pairs of services as a table; a click on the head of a column sorts by it. */
export function DependencyTable({
  rows,
  sort,
  isStale,
  onSort,
}: {
  rows: readonly Dependency[];
  sort: DependencySort;
  isStale: boolean;
  onSort: (column: DependencyColumn) => void;
}) {
  return (
    <table className={isStale ? `${styles['table']} ${styles['stale']}` : styles['table']}>
      <thead>
        <tr>
          {COLUMNS.map(([column, name, isNumber]) => {
            const isSorted = sort.column === column;
            return (
              <th
                key={column}
                scope="col"
                className={`${styles[column]} ${isNumber ? styles['number'] : ''}`}
                aria-sort={!isSorted ? 'none' : sort.descending ? 'descending' : 'ascending'}
              >
                <button type="button" onClick={() => onSort(column)}>
                  {name}
                  <i aria-hidden="true">{!isSorted ? '' : sort.descending ? '↓' : '↑'}</i>
                </button>
              </th>
            );
          })}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={`${row.caller}\n${row.callee}\n${row.inferred}`}>
            <td>
              <Service name={row.caller} />
            </td>
            <td>
              {row.inferred ? (
                <span
                  className={styles['service']}
                  style={{ '--hue': serviceHue(row.callee) }}
                  title="It sends no spans itself; those of its callers name it"
                >
                  <i />
                  <span>{row.callee}</span>
                  <em>inferred</em>
                </span>
              ) : (
                <Service name={row.callee} />
              )}
            </td>
            <td className={styles['kind']}>{row.kinds.join(', ')}</td>
            <td className={styles['number']}>{row.calls.toLocaleString('en')}</td>
            <td className={`${styles['number']} ${row.errors > 0 ? styles['failed'] : ''}`}>
              {row.errors > 0 && (
                <>
                  <ErrorIcon /> {row.errors.toLocaleString('en')}
                </>
              )}
            </td>
            <td className={`${styles['number']} ${styles['error_rate']}`}>
              {row.errors > 0 && formatShare(errorRate(row))}
            </td>
            <td className={`${styles['number']} ${styles['p50']}`}>{duration(row.p50Us)}</td>
            <td className={`${styles['number']} ${styles['p95']}`}>{duration(row.p95Us)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A service, which leads to its traces. */
function Service({ name }: { name: string }) {
  return (
    <Link
      to="/search"
      search={{ service: name }}
      className={styles['service']}
      style={{ '--hue': serviceHue(name) }}
      title={`Search traces of ${name}`}
    >
      <i />
      <span>{name}</span>
    </Link>
  );
}

function duration(durationUs: number | undefined): string {
  return durationUs === undefined ? '–' : formatDuration(durationUs);
}

function formatShare(share: number): string {
  const percent = 100 * share;
  if (percent < 0.1) return '< 0.1 %';
  return `${percent.toFixed(percent < 9.95 ? 1 : 0)} %`;
}
