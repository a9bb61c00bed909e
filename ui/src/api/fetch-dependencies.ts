// SPDX-License-Identifier: Apache-2.0
import { decodeDependencies, type Dependency } from '#model/dependency.ts';
import { ApiError } from './api-error.ts';
import { fetchPage } from './fetch-json.ts';

const PATH = '/api/dependencies';

const LEFT_OUT =
  'Calls to what sent no spans of its own are left out: there are too many of them. Choose a shorter time to see them.';

/**
 * Calls of the last `lookbackMs` before `nowMs` (Unix ms). Where a server refuses to sum up all that is called, which may be hundreds of
 * thousands of addresses, those that sent no spans are left out, and a warning says so.
 * @throws {ApiError}
 */
export async function fetchDependencies(
  { nowMs, lookbackMs }: { readonly nowMs: number; readonly lookbackMs: number },
  signal: AbortSignal,
  fetch = fetchPage,
): Promise<{ pairs: readonly Dependency[]; warnings: readonly string[] }> {
  const path = `${PATH}?endTs=${nowMs}&lookback=${lookbackMs}`;
  try {
    const { data, warnings } = await fetch(`${path}&inferred=true`, signal);
    return { pairs: decodeDependencies(data, PATH), warnings };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 400) throw error;
    const { data, warnings } = await fetch(path, signal);
    return { pairs: decodeDependencies(data, PATH), warnings: [LEFT_OUT, ...warnings] };
  }
}
