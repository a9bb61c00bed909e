// SPDX-License-Identifier: Apache-2.0
import { malformedAnswer } from '#api/api-error.ts';
import { isRecord } from '#api/jaeger-json.ts';

/** What the answer is to be. */
const EXPECTED = 'a list of “parent”, “child” and “callCount”';

/** Calls of one service by another, in a span of time. */
export interface Dependency {
  readonly caller: string;
  readonly callee: string;
  /** `call`, `messaging` or `database`; empty where the server does not say. */
  readonly kinds: readonly string[];
  /** The callee sent no spans; the caller's name it. */
  readonly inferred: boolean;
  readonly calls: number;
  readonly errors: number;
  /** In µs; undefined where the server does not say. */
  readonly p50Us: number | undefined;
  readonly p95Us: number | undefined;
}

/** What the list can be sorted by. */
export const DEPENDENCY_COLUMNS = [
  'caller',
  'callee',
  'kind',
  'calls',
  'errors',
  'error_rate',
  'p50',
  'p95',
] as const;

/** One of {@link DEPENDENCY_COLUMNS}. */
export type DependencyColumn = (typeof DEPENDENCY_COLUMNS)[number];

/** Order of the list. */
export interface DependencySort {
  readonly column: DependencyColumn;
  readonly descending: boolean;
}

const DEFAULT_SORT: DependencySort = { column: 'calls', descending: true };

/** Reads an order such as `caller` or `-calls`; what makes no sense is the usual one. */
export function parseDependencySort(text: string): DependencySort {
  const descending = text.startsWith('-');
  const name = descending ? text.slice(1) : text;
  const column = DEPENDENCY_COLUMNS.find((one) => one === name);
  return column === undefined ? DEFAULT_SORT : { column, descending };
}

/** Writes an order; empty for the usual one. */
export function formatDependencySort({ column, descending }: DependencySort): string {
  if (column === DEFAULT_SORT.column && descending === DEFAULT_SORT.descending) return '';
  return `${descending ? '-' : ''}${column}`;
}

/**
 * The order after a click on the head of a column: names from A on and numbers from the largest, then the other way round.
 */
export function nextDependencySort(now: DependencySort, column: DependencyColumn): DependencySort {
  if (now.column === column) return { column, descending: !now.descending };
  return { column, descending: !['caller', 'callee', 'kind'].includes(column) };
}

/** Share of the calls that failed, 0 to 1. */
export function errorRate({ calls, errors }: Dependency): number {
  return calls === 0 ? 0 : errors / calls;
}

/** The list in an order; equal ones by caller, then callee. */
export function sortDependencies(
  list: readonly Dependency[],
  { column, descending }: DependencySort,
): readonly Dependency[] {
  const sign = descending ? -1 : 1;
  return list.toSorted(
    (a, b) =>
      sign * compare(keyOf(a, column), keyOf(b, column)) ||
      compare(a.caller, b.caller) ||
      compare(a.callee, b.callee),
  );
}

function keyOf(dependency: Dependency, column: DependencyColumn): string | number {
  switch (column) {
    case 'kind':
      return dependency.kinds.join(', ');
    case 'error_rate':
      return errorRate(dependency);
    case 'p50':
      return dependency.p50Us ?? -1;
    case 'p95':
      return dependency.p95Us ?? -1;
    default:
      return dependency[column];
  }
}

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The list of an answer of `/api/dependencies`: Jaeger's members, and Spoor's own where they are there.
 * @throws {ApiError} when it is something else.
 */
export function decodeDependencies(data: unknown, where: string): readonly Dependency[] {
  if (data === null) return [];
  if (!Array.isArray(data)) throw malformedAnswer(where, EXPECTED);
  return data.map((item: unknown) => {
    if (
      !isRecord(item) ||
      typeof item['parent'] !== 'string' ||
      typeof item['child'] !== 'string' ||
      typeof item['callCount'] !== 'number'
    ) {
      throw malformedAnswer(where, EXPECTED);
    }
    const latency = isRecord(item['latencyMicros']) ? item['latencyMicros'] : {};
    const kinds = Array.isArray(item['kinds']) ? item['kinds'] : [];
    return {
      caller: item['parent'],
      callee: item['child'],
      kinds: kinds.filter((kind: unknown): kind is string => typeof kind === 'string'),
      inferred: item['inferred'] === true,
      calls: item['callCount'],
      errors: numberOf(item['errorCount']) ?? 0,
      p50Us: numberOf(latency['p50']),
      p95Us: numberOf(latency['p95']),
    };
  });
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
